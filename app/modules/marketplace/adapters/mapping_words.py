"""What columns are called in the tables of shops and tills, in English, French, German and Luxembourgish."""

from app.modules.marketplace.adapters.shop_values import plain

# A name under a field is either all of the column's name, or words of it; the first names are the surest.
_WORDS: dict[str, str] = {
    "id": (
        "sku | article number | item number | product id | product code | item id | stock code | reference |"
        " ref | reference produit | reference article | code article | code produit | ugs | numero d article |"
        " artikelnummer | artikelnr | artikel nr | art nr | artnr | produktnummer | bestellnummer |"
        " artikel id | produkt id | id produit | artikelcode | article no | artikelsnummer"
    ),
    "title": (
        "product title | product name | item name | name | article name | designation | libelle | nom |"
        " nom du produit | nom produit | titre | intitule | produktname | artikelname | bezeichnung |"
        " artikelbezeichnung | produktbezeichnung | titel | numm | produktnumm"
    ),
    "description": (
        "long description | product description | body | body html | details | descriptif |"
        " description longue | description produit | texte | beschreibung | produktbeschreibung |"
        " artikelbeschreibung | langtext | beschreiwung"
    ),
    "link": (
        "url | product url | product link | page url | deeplink | permalink | lien | lien produit |"
        " url produit | adresse | produktlink | produkt url | artikel url"
    ),
    "image_link": (
        "image | image url | main image | picture | picture url | photo | image src | image principale |"
        " lien image | url image | url de l image | photo principale | bild | bild url | hauptbild | bildlink |"
        " produktbild | abbildung | foto | biller"
    ),
    "additional_image_link": (
        "additional images | more images | images | image urls | gallery | photos | autres images |"
        " images supplementaires | galerie | weitere bilder | zusatzbilder | bilder | bildergalerie"
    ),
    "availability": (
        "stock status | in stock | stock | stock quantity | quantity | qty | inventory | disponibilite |"
        " disponible | en stock | quantite | qte | quantite en stock | stock disponible | verfugbarkeit |"
        " verfugbar | lieferbar | lagerbestand | bestand | lager | menge | vorratig | disponibiliteit |"
        " stack | am stock"
    ),
    "availability_date": "available from | date de disponibilite | verfugbar ab | lieferbar ab",
    "price": (
        "regular price | retail price | gross price | price incl vat | price incl tax | rrp | msrp |"
        " selling price | unit price | prix ttc | prix de vente ttc | prix de vente | prix public | prix |"
        " prix unitaire | tarif | pv ttc | tarif regulier | preis | verkaufspreis | bruttopreis | vk brutto |"
        " preis brutto | vk preis | uvp | preis inkl mwst | prais | verkafsprais"
    ),
    "sale_price": (
        "special price | discount price | promo price | offer price | prix promo | prix promotionnel |"
        " prix solde | prix remise | prix barre | tarif promo | angebotspreis | sonderpreis | aktionspreis |"
        " reduzierter preis | aktiounsprais"
    ),
    "gtin": (
        "ean | ean13 | ean 13 | ean code | upc | isbn | barcode | bar code | gtin13 | gtin ean | code ean |"
        " code barres | code barre | gencod | strichcode | ean nummer | ean nr | barcode ean | gtin 13"
    ),
    "mpn": (
        "manufacturer part number | part number | manufacturer number | model number |"
        " reference fabricant | reference fournisseur | ref fabricant | ref fournisseur |"
        " herstellernummer | hersteller artikelnummer | herstellernr | modellnummer | teilenummer"
    ),
    "brand": (
        "manufacturer | make | vendor | supplier brand | marque | fabricant | marke | hersteller | mark |"
        " brand name | editeur | herstellername"
    ),
    "condition": "product condition | etat | etat du produit | zustand | artikelzustand",
    "color": "colour | couleur | coloris | farbe | faarf",
    "size": "taille | pointure | grosse | greisst",
    "material": "matiere | materiau | stoff | fabric",
    "pattern": "motif | muster",
    "gender": "sex | sexe | genre | geschlecht",
    "age_group": "tranche d age | groupe d age | altersgruppe",
    "item_group_id": (
        "parent sku | parent id | group id | product group | parent | variant group | id groupe |"
        " reference parent | vaterartikel | eltern artikelnummer | gruppen id | variantengruppe"
    ),
    "google_product_category": "google category | categorie google | google kategorie",
    "product_type": (
        "category | categories | product category | department | famille | categorie | categories |"
        " rayon | type de produit | kategorie | kategorien | warengruppe | artikelgruppe | produkttyp | kategori"
    ),
    "shipping_weight": "weight | weight kg | poids | poids kg | gewicht | gewicht kg | versandgewicht",
    "shipping": "shipping cost | delivery cost | frais de port | frais de livraison | versandkosten",
    "energy_efficiency_class": "energy class | energy label | classe energetique | energieeffizienzklasse",
    "unit_pricing_measure": "contents | contenance | inhalt | fullmenge",
    "unit_pricing_base_measure": "unite de base | grundeinheit | grundpreiseinheit",
}
NAMES: dict[str, str] = {
    plain(name): field for field, names in reversed(_WORDS.items()) for name in names.split("|")
}
"""Folded name to field."""

# Prices without tax and of purchase are not the price that customers pay.
NOT_A_PRICE = frozenset(
    (
        "net",
        "netto",
        "ht",
        "excl",
        "exkl",
        "hors",
        "achat",
        "cost",
        "purchase",
        "einkauf",
        "einkaufspreis",
        "ek",
    )
)
