"""What can go wrong in the core module."""

from app.core.errors import ConflictError, ForbiddenError, NotFoundError, ValidationFailedError


class SavedViewNotFoundError(NotFoundError):
    """There is no such view, or it is another person's and not shared."""

    code = "core.view_not_found"
    title = "There is no such view"


class SharedViewError(ForbiddenError):
    """The view is a colleague's: only its owner changes it."""

    code = "core.view_shared"
    title = "Only its owner changes a shared view"


class NotificationNotFoundError(NotFoundError):
    """There is no such notification, or it is another person's."""

    code = "core.notification_not_found"
    title = "There is no such notification"


class SettingNotFoundError(NotFoundError):
    """No installed module declares a setting of this key."""

    code = "core.setting_not_found"
    title = "There is no such setting"


class SettingLockedError(ConflictError):
    """The environment says what the setting is; it can only be changed there."""

    code = "core.setting_locked"
    title = "The environment decides about this setting"


class WebhookNotFoundError(NotFoundError):
    """There is no such endpoint or delivery, or it is another tenant's."""

    code = "core.webhook_not_found"
    title = "There is no such webhook"


class WebhookInputError(ValidationFailedError):
    """The endpoint cannot be saved like this; each field says what to do."""

    code = "core.webhook_input"
    title = "The webhook cannot be saved like this"


class WebhookDisabledError(ConflictError):
    """Nothing is sent to an endpoint that is off."""

    code = "core.webhook_disabled"
    title = "This webhook is off"


class MandatoryPageError(ConflictError):
    """A mandatory page stays in the menu."""

    code = "core.menu_mandatory"
    title = "This page stays in the menu"


class ListJobNotFoundError(NotFoundError):
    """There is no such export or bulk action, or it is another tenant's."""

    code = "core.list_job_not_found"
    title = "There is no such work"


class ApiKeyNotFoundError(NotFoundError):
    """There is no such API key, or it is another tenant's."""

    code = "core.api_key_not_found"
    title = "There is no such API key"


class ApiKeyInputError(ValidationFailedError):
    """The key cannot be made like this; each field says what to do."""

    code = "core.api_key_input"
    title = "The API key cannot be made like this"


class ProblemNotFoundError(NotFoundError):
    """There is no such problem, or it is another tenant's."""

    code = "core.problem_not_found"
    title = "There is no such problem"
