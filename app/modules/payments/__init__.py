"""The payments module: money taken and given back, through providers."""
