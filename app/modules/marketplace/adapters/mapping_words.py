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
    "manufacturer_name": (
        "manufacturer name | name of manufacturer | producer | producer name | legal manufacturer |"
        " nom du fabricant | nom fabricant | raison sociale du fabricant | producteur | nom du producteur |"
        " hersteller name | name des herstellers | herstellerfirma | hersteller firma | produzent | hiersteller"
    ),
    "manufacturer_address": (
        "manufacturer address | address of manufacturer | manufacturer postal address | producer address |"
        " adresse du fabricant | adresse fabricant | adresse postale du fabricant | fabricant adresse |"
        " adresse du producteur | herstelleradresse | hersteller adresse | adresse des herstellers |"
        " herstelleranschrift | hersteller anschrift | anschrift des herstellers | anschrift hersteller |"
        " adress vum hiersteller"
    ),
    "manufacturer_email": (
        "manufacturer email | manufacturer e mail | manufacturer mail | manufacturer email address |"
        " manufacturer contact | email du fabricant | e mail du fabricant | courriel du fabricant |"
        " mail du fabricant | email fabricant | e mail fabricant | courriel fabricant | fabricant email |"
        " contact fabricant | contact du fabricant | hersteller email | hersteller e mail | herstelleremail |"
        " hersteller mail | e mail des herstellers | email des herstellers | e mail hersteller |"
        " hersteller kontakt | herstellerkontakt | kontakt hersteller | e mail vum hiersteller"
    ),
    "responsible_name": (
        "responsible person | eu responsible person | responsible person name | responsible person eu |"
        " name of responsible person | responsible person in the eu | eu representative | eu importer |"
        " authorised representative | authorized representative | personne responsable | responsable ue |"
        " personne responsable dans l ue | personne responsable ue | nom de la personne responsable |"
        " responsable dans l ue | mandataire | mandataire ue | importateur ue | verantwortliche person |"
        " eu verantwortliche person | verantwortliche person in der eu | verantwortliche person eu |"
        " name der verantwortlichen person | verantwortliche person name | verantwortlicher |"
        " eu verantwortlicher | verantwortlicher eu | eu bevollmachtigter | bevollmachtigter |"
        " inverkehrbringer | eu importeur | verantwortlech persoun"
    ),
    "responsible_address": (
        "responsible person address | eu responsible person address | responsible address |"
        " address of responsible person | eu representative address | adresse de la personne responsable |"
        " adresse personne responsable | personne responsable adresse | adresse du responsable |"
        " adresse responsable ue | adresse du mandataire | verantwortliche person adresse |"
        " verantwortliche person anschrift | adresse der verantwortlichen person |"
        " anschrift der verantwortlichen person | adresse verantwortliche person | verantwortlicher adresse |"
        " eu verantwortlicher adresse | adresse des bevollmachtigten | inverkehrbringer adresse |"
        " adress vun der verantwortlecher persoun"
    ),
    "responsible_email": (
        "responsible person email | responsible person e mail | eu responsible person email |"
        " responsible email | email of responsible person | responsible person contact |"
        " eu representative email | email de la personne responsable | e mail de la personne responsable |"
        " courriel de la personne responsable | email personne responsable | personne responsable email |"
        " personne responsable e mail | email du responsable | e mail du mandataire |"
        " verantwortliche person email | verantwortliche person e mail | verantwortliche person kontakt |"
        " e mail der verantwortlichen person | email der verantwortlichen person | verantwortlicher email |"
        " e mail verantwortliche person | eu verantwortlicher e mail | verantwortlicher e mail |"
        " e mail des bevollmachtigten | inverkehrbringer e mail | e mail vun der verantwortlecher persoun"
    ),
    "safety_warning": (
        "warning | warnings | warning text | safety warning | safety warnings | safety information |"
        " safety instructions | safety text | product safety | product safety information |"
        " hazard warnings | avertissement | avertissements | avertissement de securite |"
        " avertissements de securite | mise en garde | mises en garde | consignes de securite |"
        " consigne de securite | informations de securite | information de securite | texte de securite |"
        " securite du produit | warnhinweis | warnhinweise | warntext | sicherheitshinweis |"
        " sicherheitshinweise | sicherheitsinformation | sicherheitsinformationen | sicherheitstext |"
        " warn und sicherheitshinweise | sicherheits und warnhinweise | gefahrenhinweise |"
        " produktsicherheit | secherheetshiweiser | warnungen"
    ),
    "energy_efficiency_class": "energy class | energy label | classe energetique | energieeffizienzklasse",
    "unit_pricing_measure": "contents | contenance | inhalt | fullmenge",
    "unit_pricing_base_measure": "unite de base | grundeinheit | grundpreiseinheit",
}
NAMES: dict[str, str] = {
    plain(name): field for field, names in reversed(_WORDS.items()) for name in names.split("|")
}
"""Folded name to field."""

ALSO = dict.fromkeys(("manufacturer", "fabricant", "hersteller", "herstellername"), "manufacturer_name")
"""Names that may mean another field as well: a shop that has a column for the brand means the maker by them."""

SAFETY = (
    *("manufacturer_name", "manufacturer_address", "manufacturer_email"),
    *("responsible_name", "responsible_address", "responsible_email", "safety_warning"),
)
"""Fields that product safety law asks for, and that exports of shops have under names of their owners' choice."""

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
