"""What has to hold for every way to run the hub on Kubernetes; each rule gives its complaints."""

from tests.contract.deploy.rules.common import OWNERS, Complaints, Rule
from tests.contract.deploy.rules.edge import lets_its_certificate_be_made, lets_streams_through
from tests.contract.deploy.rules.form import is_valid, names_its_images, stands_in_the_namespace
from tests.contract.deploy.rules.keys import (
    BY_THE_CREW,
    holds_no_secret,
    is_certified,
    keeps_keys_apart,
    refers_to_secrets_that_are_made,
)
from tests.contract.deploy.rules.leaves import admits_leaves_whole_or_not_at_all
from tests.contract.deploy.rules.reaching import drawn_edges, goes_by_the_picture
from tests.contract.deploy.rules.replacing import (
    is_not_taken_apart,
    is_replaced_without_a_gap,
    migrates_first,
)
from tests.contract.deploy.rules.running import (
    asks_three_questions,
    has_room_for_a_dossier,
    is_restricted,
    keeps_files_where_all_find_them,
    runs_every_service,
)
from tests.contract.deploy.rules.zones import (
    can_go_back_in_time,
    is_postgresql_18,
    keeps_streams_three_times,
    scales_by_its_own_work,
    stands_in_three_zones,
)

__all__ = [
    "BY_THE_CREW",
    "EVERYWHERE",
    "IN_PRODUCTION",
    "OWNERS",
    "Complaints",
    "Rule",
    "admits_leaves_whole_or_not_at_all",
    "asks_three_questions",
    "can_go_back_in_time",
    "drawn_edges",
    "goes_by_the_picture",
    "has_room_for_a_dossier",
    "holds_no_secret",
    "is_certified",
    "is_not_taken_apart",
    "is_postgresql_18",
    "is_replaced_without_a_gap",
    "is_restricted",
    "is_valid",
    "keeps_files_where_all_find_them",
    "keeps_keys_apart",
    "keeps_streams_three_times",
    "lets_its_certificate_be_made",
    "lets_streams_through",
    "migrates_first",
    "names_its_images",
    "refers_to_secrets_that_are_made",
    "runs_every_service",
    "scales_by_its_own_work",
    "stands_in_the_namespace",
    "stands_in_three_zones",
]

EVERYWHERE: tuple[Rule, ...] = (
    is_valid,
    stands_in_the_namespace,
    names_its_images,
    runs_every_service,
    asks_three_questions,
    is_restricted,
    is_replaced_without_a_gap,
    is_not_taken_apart,
    migrates_first,
    goes_by_the_picture,
    holds_no_secret,
    refers_to_secrets_that_are_made,
    keeps_keys_apart,
    keeps_files_where_all_find_them,
    has_room_for_a_dossier,
    is_certified,
    lets_streams_through,
    lets_its_certificate_be_made,
    admits_leaves_whole_or_not_at_all,
    is_postgresql_18,
)
IN_PRODUCTION: tuple[Rule, ...] = (
    stands_in_three_zones,
    keeps_streams_three_times,
    scales_by_its_own_work,
    can_go_back_in_time,
)
