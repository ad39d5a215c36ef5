"""What other modules may ask of the core module."""

from app.modules.core.services.api_key_service import KeyInput as ApiKeyInput
from app.modules.core.services.api_key_service import create_key as create_api_key
from app.modules.core.services.notification_service import notify, notify_job_ended
from app.modules.core.services.setting_service import read_setting

__all__ = ["ApiKeyInput", "create_api_key", "notify", "notify_job_ended", "read_setting"]
