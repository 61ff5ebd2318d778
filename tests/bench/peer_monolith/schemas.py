"""What the peer takes and gives, with the rules that Peyvand's contract has."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator

PROVINCES = frozenset(f"IR-{number:02d}" for number in range(31))
ACTIONS = {
    "planned": ["update", "establish", "cancel"],
    "establishing": ["update", "open", "cancel"],
    "operational": ["update", "suspend", "close"],
    "suspended": ["update", "resume", "close"],
}

Text = Annotated[str, Field(max_length=2000)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class LocalizedText(Strict):
    fa: Text | None = None
    en: Text | None = None

    @model_validator(mode="after")
    def one_is_there(self) -> Self:
        if not (self.fa or self.en):
            raise ValueError("give the text in at least one language")
        return self


class ImpreciseDate(Strict):
    value: str = Field(
        pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$", max_length=10
    )
    inferred: bool = False
    note: str | None = Field(default=None, max_length=1000)


class Citation(Strict):
    source: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=100)
    statement: str | None = Field(default=None, max_length=100)
    fields: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=50)
    inferred: bool = False
    note: Text | None = None


class Position(Strict):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Contact(Strict):
    address: LocalizedText | None = None
    phones: list[Annotated[str, Field(pattern=r"^\+[0-9][0-9 ()/-]{4,38}$", max_length=40)]] = (
        Field(default=[], max_length=10)
    )
    email: str | None = Field(
        default=None, pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254
    )
    website: str | None = Field(default=None, pattern=r"^$|^https?://[^\s]+$", max_length=500)


class CenterIn(Strict):
    external_key: str | None = Field(
        default=None, pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=100
    )
    code: str = Field(pattern=r"^[A-Z][A-Z0-9-]*$", min_length=2, max_length=20)
    names: LocalizedText
    province: str = Field(pattern=r"^IR-[0-9]{2}$")
    city: LocalizedText | None = None
    position: Position | None = None
    host_institution: LocalizedText | None = None
    opened_date: ImpreciseDate | None = None
    contact: Contact | None = None
    citations: list[Citation] = Field(default=[], max_length=50)
    sample: bool = False

    @field_validator("province")
    @classmethod
    def province_exists(cls, value: str) -> str:
        if value not in PROVINCES:
            raise ValueError("not a province of Iran")
        return value


class CenterOut(CenterIn):
    id: str
    state: str
    state_reason: str | None
    state_since: datetime
    created_at: datetime
    updated_at: datetime
    version: int = Field(exclude=True)

    @computed_field
    @property
    def etag(self) -> str:
        return f"v{self.version}"

    @computed_field
    @property
    def allowed_actions(self) -> list[str]:
        return ACTIONS.get(self.state, [])
