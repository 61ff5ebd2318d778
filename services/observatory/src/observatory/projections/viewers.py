"""What a caller may see of the picture."""

from collections.abc import Iterable

from servicekit.identity import Principal


class Viewer:
    """A caller, with the centers and institutions that are its own.

    A claim counts only with the role that it belongs to.
    """

    def __init__(self, principal: Principal) -> None:
        self.sees_all = principal.has("hq_admin", "hq_analyst")
        at_centers = principal.has("center_admin", "center_operator")
        self.center_ids = sorted(principal.center_ids) if at_centers else []
        self.institution_ids = sorted(principal.institution_ids) if principal.has("partner") else []

    def is_concerned(self, center_ids: Iterable[str], institution_ids: Iterable[str] = ()) -> bool:
        """Tell whether something about these concerns the caller, so that all of it is open."""
        return (
            self.sees_all
            or not set(self.center_ids).isdisjoint(center_ids)
            or not set(self.institution_ids).isdisjoint(institution_ids)
        )
