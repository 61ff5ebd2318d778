"""The network as it stands after the first import, as messages of the observatory."""

from datetime import UTC, datetime, timedelta

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import events_pb2, network_pb2, plan_pb2, regulations_pb2
from tests.support.gateway import FakeClients

CENTERS = (
    ("KRM", "IR-08", "کرمان", "Kerman", centers_pb2.CENTER_STATE_OPERATIONAL),
    ("RKH", "IR-09", "", "", centers_pb2.CENTER_STATE_ESTABLISHING),
    ("SHZ", "IR-07", "شیراز", "Shiraz", centers_pb2.CENTER_STATE_OPERATIONAL),
    ("TBZ", "IR-03", "تبریز", "Tabriz", centers_pb2.CENTER_STATE_OPERATIONAL),
    ("TEH", "IR-23", "تهران", "Tehran", centers_pb2.CENTER_STATE_OPERATIONAL),
)
_SAMPLE_STAGES = {"KRM": ("s3",), "SHZ": ("s2",), "TBZ": ("s6", "s0"), "TEH": ("s4", "s1")}


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def text(fa: str, en: str) -> types_pb2.LocalizedText:
    return types_pb2.LocalizedText(fa=fa, en=en)


def network_status(now: datetime, *, sample: bool = False) -> network_pb2.NetworkStatus:
    as_of = stamp(now)
    centers: list[network_pb2.CenterStatus] = []
    for code, province, fa, en, state in CENTERS:
        place_fa, place_en = (fa, en) if fa else ("خراسان رضوی", "Razavi Khorasan")
        center = network_pb2.CenterStatus(
            center_id=f"ctr_{code.lower()}",
            code=code,
            names=text(
                f"مرکز جامع سلول‌های بنیادی و پزشکی بازساختی {place_fa}",
                f"{place_en} Comprehensive Stem Cell and Regenerative Medicine Center",
            ),
            province=province,
            city=text(fa, en),
            state=state,
            state_since=stamp(now - timedelta(minutes=4)),
            liveness=network_pb2.LIVENESS_UNKNOWN,
        )
        for stage in _SAMPLE_STAGES.get(code, ()) if sample else ():
            center.projects_by_stage.add(key=stage, sample=1)
        centers.append(center)

    def total(value: int, of: int, sampled: int = 0, **parts: int) -> network_pb2.Total:
        return network_pb2.Total(
            value=value,
            known=of,
            of=of,
            as_of=as_of,
            sample=sampled if sample else 0,
            parts=[network_pb2.Count(key=key, value=count) for key, count in parts.items()],
        )

    return network_pb2.NetworkStatus(
        as_of=as_of,
        centers=centers,
        totals=network_pb2.NetworkTotals(
            centers=total(5, 5, operational=4, establishing=1),
            fresh_centers=network_pb2.Total(
                value=0, known=0, of=5, parts=[network_pb2.Count(key="unknown", value=5)]
            ),
            projects=total(0, 0, 6),
            companies=total(0, 0, 2),
            institutions=total(9, 9, IR=6, RU=3),
            agreements=total(2, 2, awaiting_ratification=1, signed=1),
            activities=total(4, 4, proposed=4),
        ),
        streams=[
            network_pb2.StreamFreshness(
                service=service,
                position=count,
                last_position=count,
                last_event_at=stamp(now - timedelta(minutes=3)),
                checked_at=as_of,
                liveness=network_pb2.LIVENESS_ONLINE,
            )
            for service, count in (("centers", 9), ("partners", 27), ("projects", 8))
        ],
        cursor="c1",
        etag="1",
        sample=sample,
    )


def action_items() -> plan_pb2.ListActionItemsResponse:
    return plan_pb2.ListActionItemsResponse(
        action_items=[
            plan_pb2.ActionItem(
                id="itm_1",
                text=text(
                    "تعیین تکلیف (ادارهٔ) مراکز برپاشده",
                    "Settle the fate (governance) of the centres that were set up",
                ),
                due_text=text("در همین دورهٔ مدیریت", "Within the present management period"),
                state=plan_pb2.ACTION_ITEM_STATE_OPEN,
            )
        ]
    )


def regulations() -> regulations_pb2.ListRegulationsResponse:
    drafting = regulations_pb2.REGULATION_STATE_DRAFTING
    return regulations_pb2.ListRegulationsResponse(
        regulations=[
            regulations_pb2.Regulation(
                id="reg_1",
                titles=text("مقررات سلول‌درمانی", "Cell therapy regulations"),
                state=drafting,
            ),
            regulations_pb2.Regulation(
                id="reg_2",
                titles=text("مقررات ژن‌درمانی", "Gene therapy regulations"),
                state=drafting,
            ),
            regulations_pb2.Regulation(
                id="reg_3",
                titles=text("آیین‌نامهٔ دیگر", "Another by-law"),
                state=regulations_pb2.REGULATION_STATE_IN_FORCE,
            ),
        ]
    )


def events(now: datetime, *, sample: bool = False) -> events_pb2.ListEventsResponse:
    made = events_pb2.ListEventsResponse()
    happened = [
        ("centers", "center", f"مرکز «{fa or 'خراسان رضوی'}» ثبت شد", f'Center "{code}" recorded')
        for code, _, fa, _, _ in CENTERS
    ] + [("projects", "project", "طرح «نمونه» ثبت شد", 'Project "Sample" recorded')] * sample
    for number, (service, kind, fa, en) in enumerate(reversed(happened)):
        data = Struct()
        data.update(
            {
                kind: {"sample": service == "projects"},
                "change": {"step": {"actor": "local:hq_admin", "reason": ""}},
            }
        )
        made.events.add(
            id=str(number),
            type=f"peyvand.{service}.v1.{kind}.created",
            source=f"/services/{service}",
            subject=f"ctr_{number}",
            time=stamp(now - timedelta(minutes=3, seconds=number)),
            data=data,
            cursor=f"c{number}",
            summaryfa=fa,
            summaryen=en,
        )
    return made


def observe(clients: FakeClients, now: datetime | None = None, *, sample: bool = False) -> None:
    """Make the stand-in answer as the observatory would."""
    now = now or datetime.now(UTC)
    clients.serving |= {"centers": True, "observatory": True}
    clients.answers |= {
        "GetNetworkStatus": network_status(now, sample=sample),
        "ListActionItems": action_items(),
        "ListRegulations": regulations(),
        "ListEvents": events(now, sample=sample),
    }
