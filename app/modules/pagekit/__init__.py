"""Page contracts: lists, details, forms and job pages are declared by modules and built here, once."""
