"""What keeps a hub from being set up."""


class HubError(Exception):
    """Something of a hub is missing or unfit.

    Attributes:
        message: what is wrong, in a sentence.
        mend: what to do about it; empty when nothing general can be said.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n{self.mend}" if self.mend else self.message
