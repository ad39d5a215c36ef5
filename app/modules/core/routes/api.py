"""The caller, jobs and modules in the API."""

from app.core.errors import NotFoundError
from app.core.ids import to_public
from app.modules import lifecycle
from app.modules.api import ApiContext, ApiRouter, key_of
from app.modules.api.jobs import JOB_PREFIX, JobDetails, job_details
from app.modules.core.schemas.platform import KeyInfo, ModuleItem, ModuleList, ModuleSwitch, SwitchedModules
from app.modules.core.services.api_list_service import key_info
from app.modules.registry import modules
from app.modules.state import is_enabled, is_installed
from app.modules.tenancy.facade import list_platforms
from app.tasks.errors import JobNotFoundError
from app.tasks.models import Job

router = ApiRouter()


@router.both("GET", "/me", permission="core.{area}_home.view")
def me_get(ctx: ApiContext) -> KeyInfo:
    """Say whose key this is and what it may do."""
    return key_info(ctx)


@router.vendor("GET", "/jobs/{job_id}", permission="core.vendor_home.view")
def jobs_get(ctx: ApiContext, job_id: str) -> JobDetails:
    """Get a job: how far the work is that an operation answered 202 for.

    The key needs a permission of the module whose work it is.
    """
    job = ctx.session.get(Job, key_of(JOB_PREFIX, job_id))
    if job is None or not any(one.startswith(f"{job.module}.") for one in ctx.principal.permissions):
        raise JobNotFoundError
    return job_details(job)


@router.admin("GET", "/modules", permission="core.modules.view")
def modules_list(ctx: ApiContext) -> ModuleList:
    """List modules, in order of dependence."""
    platforms = [one.id for one in list_platforms(ctx.session)]
    return ModuleList(
        data=[
            ModuleItem(
                code=code,
                name=module.name,
                description=module.description,
                tier=module.module_class.value,
                version=module.version,
                requires=list(module.requires),
                is_installed=is_installed(code),
                platform_ids=[to_public("plt", key) for key in platforms if is_enabled(code, [key])],
            )
            for code, module in modules().items()
        ]
    )


@router.admin(
    "POST", "/platforms/{platform_id}/modules/{module_code}/switch", permission="core.modules.manage"
)
def modules_switch(
    ctx: ApiContext, platform_id: str, module_code: str, switch: ModuleSwitch
) -> SwitchedModules:
    """Switch a module on for a platform, and first what it requires; or off. Processes follow within seconds."""
    key = key_of("plt", platform_id)
    if module_code not in modules() or key not in [one.id for one in list_platforms(ctx.session)]:
        raise NotFoundError
    act = lifecycle.enable if switch.is_enabled else lifecycle.disable
    return SwitchedModules(switched=act(ctx.session, key, module_code, by=ctx.principal.user_id))
