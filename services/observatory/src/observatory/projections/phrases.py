"""What happened, in a few words of both languages."""

_KINDS = {
    "center": ("مرکز", "Center"),
    "project": ("طرح", "Project"),
    "company": ("شرکت", "Company"),
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
    # Projects and companies.
    "advanced": ("به مرحلهٔ بعد رفت", "advanced to the next stage"),
    "held": ("موقتاً متوقف شد", "put on hold"),
    "recycled": ("به مرحلهٔ پیشین بازگشت", "sent back to an earlier stage"),
    "killed": ("پایان داده شد", "ended"),
    "completed": ("به انجام رسید", "completed"),
    "dissolved": ("منحل شد", "dissolved"),
    "reinstated": ("دوباره برقرار شد", "reinstated"),
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


def summary(kind: str, action: str, name_fa: str, name_en: str) -> tuple[str, str]:
    """Sentences in Persian and English: «مرکز «تبریز» تعلیق شد», ``Center "Tabriz" suspended``.

    A name that one language lacks is taken from the other; words that are not known here
    stand as they are in the contract.
    """
    plain = action.replace("_", " ")
    kind_fa, kind_en = _KINDS.get(kind, (kind.replace("_", " "), kind.replace("_", " ")))
    action_fa, action_en = _ACTIONS.get(action, (plain, plain))
    fa, en = name_fa or name_en, name_en or name_fa
    return (
        f"{kind_fa} «{fa}» {action_fa}" if fa else f"{kind_fa} {action_fa}",
        f'{kind_en} "{en}" {action_en}' if en else f"{kind_en} {action_en}",
    )
