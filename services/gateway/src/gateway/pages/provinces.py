"""Names of the 31 provinces of Iran by their ISO 3166-2:IR codes."""

from gateway.languages import Language

_NAMES: dict[str, tuple[str, str]] = {
    "IR-00": ("مرکزی", "Markazi"),
    "IR-01": ("گیلان", "Gilan"),
    "IR-02": ("مازندران", "Mazandaran"),
    "IR-03": ("آذربایجان شرقی", "East Azerbaijan"),
    "IR-04": ("آذربایجان غربی", "West Azerbaijan"),
    "IR-05": ("کرمانشاه", "Kermanshah"),
    "IR-06": ("خوزستان", "Khuzestan"),
    "IR-07": ("فارس", "Fars"),
    "IR-08": ("کرمان", "Kerman"),
    "IR-09": ("خراسان رضوی", "Razavi Khorasan"),
    "IR-10": ("اصفهان", "Isfahan"),
    "IR-11": ("سیستان و بلوچستان", "Sistan and Baluchestan"),
    "IR-12": ("کردستان", "Kurdistan"),
    "IR-13": ("همدان", "Hamadan"),
    "IR-14": ("چهارمحال و بختیاری", "Chaharmahal and Bakhtiari"),
    "IR-15": ("لرستان", "Lorestan"),
    "IR-16": ("ایلام", "Ilam"),
    "IR-17": ("کهگیلویه و بویراحمد", "Kohgiluyeh and Boyer-Ahmad"),
    "IR-18": ("بوشهر", "Bushehr"),
    "IR-19": ("زنجان", "Zanjan"),
    "IR-20": ("سمنان", "Semnan"),
    "IR-21": ("یزد", "Yazd"),
    "IR-22": ("هرمزگان", "Hormozgan"),
    "IR-23": ("تهران", "Tehran"),
    "IR-24": ("اردبیل", "Ardabil"),
    "IR-25": ("قم", "Qom"),
    "IR-26": ("قزوین", "Qazvin"),
    "IR-27": ("گلستان", "Golestan"),
    "IR-28": ("خراسان شمالی", "North Khorasan"),
    "IR-29": ("خراسان جنوبی", "South Khorasan"),
    "IR-30": ("البرز", "Alborz"),
}

CODES = frozenset(_NAMES)


def province_name(code: str, language: Language) -> str:
    """Name of a province; the code itself where no name is known for it."""
    fa, en = _NAMES.get(code, (code, code))
    return fa if language == "fa" else en
