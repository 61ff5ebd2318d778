"""What happened, in a few words of both languages."""

from observatory.domain.alerts import AlertKind
from observatory.projections.names import Name, named_after

_KINDS = {
    "center": ("مرکز", "Center"),
    "node": ("گره", "Node"),
    "presence": ("جریان", "Feed"),
    "capacity_snapshot": ("ظرفیت", "Capacity of"),
    "period_report": ("گزارش دوره‌ای", "Period report"),
    "refused_report": ("گزارش گره", "Report of node"),
    "alert": ("هشدار", "Alert"),
    "project": ("طرح", "Project"),
    "readiness_claim": ("ادعای آمادگی", "Readiness claim"),
    "company": ("شرکت", "Company"),
    "output": ("دستاورد", "Output"),
    "award": ("حمایت مالی", "Award"),
    "evidence": ("شاهد", "Evidence"),
    "waiver": ("معافیت از معیار", "Waiver of"),
    "gate": ("دروازهٔ طرح", "Gate of"),
    "condition": ("شرط", "Condition"),
    "institution": ("نهاد", "Institution"),
    "person": ("شخص", "Person"),
    "agreement": ("سند همکاری", "Agreement"),
    "activity": ("فعالیت", "Activity"),
    "source": ("منبع", "Source"),
    "plan": ("برنامه", "Plan"),
    "indicator": ("شاخص", "Indicator"),
    "observation": ("مشاهدهٔ شاخص", "Observation of"),
    "action_item": ("اقدام", "Action item"),
    "regulation": ("مقررات", "Regulation"),
}
_ACTIONS = {
    "created": ("ثبت شد", "recorded"),
    "updated": ("به‌روز شد", "updated"),
    "deleted": ("حذف شد", "deleted"),
    "revised": ("اصلاح شد", "revised"),
    # Centers.
    "established": ("در دست راه‌اندازی قرار گرفت", "being set up"),
    "opened": ("گشایش یافت", "opened"),
    "suspended": ("تعلیق شد", "suspended"),
    "resumed": ("از سر گرفته شد", "resumed"),
    "closed": ("تعطیل شد", "closed"),
    "cancelled": ("لغو شد", "cancelled"),
    # Nodes, and how they are heard of.
    "token_issued": ("توکن پیوستن گرفت", "given a join token"),
    "token_reused": (
        "با توکنی که پیش‌تر به‌کار رفته بود خواسته شد",
        "asked for with a join token that was used before",
    ),
    "joined": ("به شبکه پیوست", "joined the network"),
    "renewed": ("اعتبارنامهٔ تازه گرفت", "renewed its credentials"),
    "credentials_expiring": ("اعتبارنامهٔ رو به انقضا دارد", "has credentials near expiry"),
    "activated": ("فعال شد", "became active"),
    "revoked": ("باطل شد", "revoked"),
    "came_online": ("برخط شد", "came online"),
    "went_late": ("دیر کرد", "is late"),
    "went_stale": ("کهنه شد", "went stale"),
    "went_offline": ("برون‌خط شد", "went offline"),
    "became_unknown": ("نامعلوم شد", "became unknown"),
    "ended": ("پایان یافت", "ended"),
    # Reports and alerts.
    "received": ("گزارش شد", "reported"),
    "submitted": ("ارسال شد", "submitted"),
    "returned": ("بازگردانده شد", "returned"),
    "recorded": ("پذیرفته نشد", "refused"),
    "acknowledged": ("دیده شد", "acknowledged"),
    "escalated": ("دیده نشده ماند و به سطح بالاتر رفت", "not seen in time, and escalated"),
    # Projects and companies.
    "advanced": ("به مرحلهٔ بعد رفت", "advanced to the next stage"),
    "held": ("موقتاً متوقف شد", "put on hold"),
    "recycled": ("به مرحلهٔ پیشین بازگشت", "sent back to an earlier stage"),
    "killed": ("پایان داده شد", "ended"),
    "completed": ("به انجام رسید", "completed"),
    "flagged": ("نشانهٔ هشدار گرفت", "flagged"),
    "unflagged": ("از نشانهٔ هشدار رها شد", "freed of a flag"),
    "flag_acknowledged": (
        "با مقررات تغییریافته سنجیده شد",
        "looked at under a changed regulation",
    ),
    "naming_struck": (
        "از نام‌بردنی نادرست پاک شد",
        "freed of a wrong naming",
    ),
    "dissolved": ("منحل شد", "dissolved"),
    "reinstated": ("دوباره برقرار شد", "reinstated"),
    "gate_opened": ("به دروازهٔ تصمیم رسید", "under review at a gate"),
    "gate_withdrawn": ("از دروازهٔ تصمیم بازگشت", "under review no more"),
    # Gates and conditions.
    "declared": ("یک اعلام وضعیت تعارض منافع دریافت کرد", "has a declaration of interests"),
    "proposed": ("مفادی برای رأی‌گیری دریافت کرد", "has terms to vote for"),
    "voted": ("یک رأی دریافت کرد", "has a vote"),
    "decided": ("به تصمیم رسید", "decided"),
    "reported": ("گزارش شد", "reported"),
    "met": ("برآورده شد", "met"),
    "became_overdue": ("از سررسید گذشت", "overdue"),
    # Evidence and waivers.
    "verified": ("راستی‌آزمایی شد", "verified"),
    "reconfirmed": ("دوباره تأیید شد", "reconfirmed"),
    "rejected": ("رد شد", "rejected"),
    "granted": ("با موافقت روبه‌رو شد", "granted"),
    "refused": ("پذیرفته نشد", "refused"),
    # Awards.
    "milestone_reported": (
        "رسیدن به یک نقطهٔ عطف را گزارش کرد",
        "has a milestone reported as reached",
    ),
    "milestone_returned": (
        "با بازگرداندن گزارش یک نقطهٔ عطف روبه‌رو شد",
        "has the report of a milestone returned",
    ),
    "milestone_met": ("به یک نقطهٔ عطف رسید", "has a milestone met"),
    "tranche_released": ("به پرداخت یک قسط رسید", "has a tranche released"),
    # Agreements and activities.
    "negotiation_opened": ("وارد مذاکره شد", "in negotiation"),
    "signed": ("امضا شد", "signed by a party"),
    "ratified": ("دربارهٔ تصویب آن تصمیم گرفته شد", "ratification decided by a body"),
    "entered_force": ("لازم‌الاجرا شد", "entered into force"),
    "expired": ("منقضی شد", "expired"),
    "terminated": ("فسخ شد", "terminated"),
    "superseded": ("جایگزین شد", "superseded"),
    "withdrawn": ("پس گرفته شد", "withdrawn"),
    "parent_confirmed": ("سند بالادستی آن تأیید شد", "parent confirmed"),
    "parent_ended": ("سند بالادستی آن پایان یافت", "parent ended"),
    "approved": ("تصویب شد", "approved"),
    "started": ("آغاز شد", "started"),
    # Action items and regulations.
    "dropped": ("کنار گذاشته شد", "dropped"),
    "reopened": ("دوباره باز شد", "reopened"),
    "consulted": ("به نظرخواهی گذاشته شد", "put to consultation"),
    "enacted": ("لازم‌الاجرا شد", "brought into force"),
    "repealed": ("نسخ شد", "repealed"),
}
# Where an action means something else for one kind than for the others.
_OF_KIND = {
    ("node", "created"): ("درخواست شد", "applied for"),
    ("node", "approved"): ("تأیید شد", "approved"),
    ("node", "withdrawn"): ("از شبکه خارج شد", "left the network"),
    ("readiness_claim", "verified"): ("تأیید شد", "verified"),
    ("readiness_claim", "rejected"): ("رد شد", "rejected"),
    ("evidence", "created"): ("ارائه شد", "submitted"),
    ("waiver", "created"): ("درخواست شد", "asked for"),
    ("gate", "created"): ("باز شد", "opened"),
    ("condition", "created"): ("گذاشته شد", "made"),
    ("condition", "reported"): ("برآورده‌شده گزارش شد", "reported as met"),
    ("condition", "returned"): ("برآورده‌شده شناخته نشد", "not found met"),
    ("period_report", "approved"): ("تأیید شد", "approved"),
    ("award", "closed"): ("بسته شد", "closed"),
    ("output", "reinstated"): ("دوباره معتبر شد", "counted again"),
}

_ALERTS = {
    AlertKind.NODE_SILENT: ("از گره {node} خبری نیست", "Nothing is heard of node {node}"),
    AlertKind.CREDENTIALS_EXPIRING: (
        "اعتبارنامهٔ گره {node} رو به انقضاست",
        "Credentials of node {node} end soon",
    ),
    AlertKind.REUSED: (
        "توکن پیوستن گره {node} پس از به‌کار رفتن دوباره آزموده شد",
        "A join token of node {node} was tried again after it was used",
    ),
    AlertKind.REPORTS_REFUSED: (
        "گزارش‌هایی از گره {node} پذیرفته نشد",
        "Reports of node {node} were refused",
    ),
    AlertKind.REPORT_LATE: ("{feed} دیر کرده است", "The {feed} is late"),
    AlertKind.CONDITION_OVERDUE: (
        "شرط {resource} از سررسید گذشته است",
        "The condition {resource} is overdue",
    ),
}


def alert_summary(kind: AlertKind, center: Name, *, node: Name, feed: Name, resource: Name) -> Name:
    """What is the matter: ``Tabriz: Nothing is heard of node "Server room"``.

    `resource` is the record that it is about besides center and node.
    """
    fa, en = _ALERTS[kind]
    node, resource = node.in_words(), resource.in_words()
    said = Name(
        fa.format(node=f"«{node.fa}»", feed=feed.fa, resource=f"«{resource.fa}»").replace(
            " «»", ""
        ),
        en.format(node=f'"{node.en}"', feed=feed.en, resource=f'"{resource.en}"').replace(
            ' ""', ""
        ),
    )
    return named_after(center, said)


def summary(kind: str, action: str, name_fa: str, name_en: str) -> tuple[str, str]:
    """Sentences in Persian and English: «مرکز «تبریز» تعلیق شد», ``Center "Tabriz" suspended``.

    A name that one language lacks is taken from the other; words that are not known here
    stand as they are in the contract.
    """
    plain = action.replace("_", " ")
    kind_fa, kind_en = _KINDS.get(kind, (kind.replace("_", " "), kind.replace("_", " ")))
    words = _OF_KIND.get((kind, action)) or _ACTIONS.get(action, (plain, plain))
    action_fa, action_en = words
    fa, en = name_fa or name_en, name_en or name_fa
    return (
        f"{kind_fa} «{fa}» {action_fa}" if fa else f"{kind_fa} {action_fa}",
        f'{kind_en} "{en}" {action_en}' if en else f"{kind_en} {action_en}",
    )
