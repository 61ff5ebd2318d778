"""What this service is told at start, besides what every service is told."""

from datetime import timedelta

from pydantic import Field

from servicekit.settings import DatabaseSettings


class ObservatorySettings(DatabaseSettings):
    """Settings of the observatory."""

    alert_escalation_minutes: int = Field(
        default=240,
        ge=1,
        le=43200,
        description="how long an alert may stay unseen before it is escalated",
    )

    @property
    def escalate_after(self) -> timedelta:
        """How long an alert may stay unseen before it is escalated."""
        return timedelta(minutes=self.alert_escalation_minutes)
