"""The operator's view: each vendor's stock in a line."""

from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services.list_service import VENDORS
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, ListSpec
from app.modules.routing import AreaRouter

router = AreaRouter("admin")

_F = "inventory.fields"

mount_list(
    router,
    ListSpec(
        page_id="inventory.admin.levels",
        texts="inventory.vendors",
        select=lists.select_vendors,
        key=VENDORS.c.id,
        columns=(
            Column("code", f"{_F}.vendor_code", "code", sort=VENDORS.c.code),
            Column("name", f"{_F}.vendor", sort=VENDORS.c.name, is_wide=True),
            Column("products", f"{_F}.products", "number"),
            Column("on_hand", f"{_F}.on_hand", "number"),
            Column("reserved", f"{_F}.reserved", "number"),
            Column("low", f"{_F}.low", "number"),
            Column("wrong", f"{_F}.wrong", "number"),
            Column("stale", f"{_F}.stale", "number"),
            Column("changed_at", f"{_F}.changed_at", "datetime"),
        ),
        default_sort="code",
        search=lambda words: (
            VENDORS.c.name.icontains(words, autoescape=True)
            | VENDORS.c.code.istartswith(words, autoescape=True)
        ),
        icon="boxes",
        has_intro=True,
    ),
)
