"""Words for made-up events in six scripts, and what people's calendars are full of.

A few common words of each language come most often, and a long tail of made-up ones behind them,
as in real text (Zipf's law): text of few words would compress far better than people's does.
"""

from itertools import accumulate
from random import Random
from typing import Final, NamedTuple


class Script(NamedTuple):
    """What the words of one script are made of.

    Attributes:
        common: Real words, the most frequent first.
        syllables: What the others are put together from.
        spaced: Whether there are spaces between words.
    """

    common: tuple[str, ...]
    syllables: tuple[str, ...]
    spaced: bool = True


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SCRIPTS: Final = {
    "latin": Script(
        _words(
            "the and to of for with meeting review team project update weekly planning call "
            "customer report budget sprint agenda please bring notes office lunch Termin mit für "
            "und der die Besprechung Projekt réunion avec pour équipe dossier reunión proyecto "
            "dentist parents school training birthday doctor dinner travel flight hotel invoice"
        ),
        _words(
            "an ber con del en fra gen ho in ka lo mer nor on per qui ra sta ter un ver wi ze "
            "ing tion ment ly ness är ö é ção"
        ),
    ),
    "cyrillic": Script(
        _words(
            "и в на с по для встреча совещание проект отчёт команда день рождения врач школа "
            "обед звонок план обсуждение клиент бюджет неделя"
        ),
        _words("ба во ги де жи за ко ла ми но пе ра сто ту фа хо це чи шо ще ние ость ский"),
    ),
    "greek": Script(
        _words(
            "και το για με στο συνάντηση ομάδα έργο αναφορά γενέθλια γιατρός σχολείο γεύμα "
            "κλήση σχέδιο πελάτης εβδομάδα"
        ),
        _words("αν βε γι δο ει ζα θε κα λο μι νο ξε πο ρα σι τη φυ χα ψω μα ος ση"),
    ),
    "hebrew": Script(
        _words(
            "של עם על פגישה צוות פרויקט דוח יום הולדת רופא בית ספר ארוחת צהריים שיחה תכנון לקוח"
        ),
        _words("אב גד הו זח טי כל מנ סע פצ קר שת לא מי נו רי תו ים ות"),
    ),
    "han": Script(
        _words("会议 项目 团队 报告 生日 医生 学校 午餐 电话 计划 客户 预算 讨论 每周 的 和 与 在"),
        tuple(
            "工作时间地点内容安排准备资料确认发送联系办公室上海北京东京春夏秋冬旅行航班酒店"
            "合同签署培训面试健康检查孩子家长音乐运动周末晚餐预约提醒更新进度问题解决方案设计测试"
        ),
        spaced=False,
    ),
    "devanagari": Script(
        _words(
            "के लिए और में बैठक टीम परियोजना रिपोर्ट जन्मदिन डॉक्टर स्कूल भोजन कॉल योजना ग्राहक बजट सप्ताह"
        ),
        _words("अन बा का गी दे नो पा मा रा ला वि सा हा ति त्र क्ष या ने ता शी"),
    ),
}
LANGUAGES: Final = tuple(_SCRIPTS)
_TAIL: Final = 1500
_FIRST: Final = _words(
    "Anna Ben Clara David Elena Farid Grace Hugo Ines Jonas Katrin Liam Maria Nils Olga Paul "
    "Quentin Rosa Sven Tara Uwe Vera Wei Yusuf Zoë Søren Łukasz Dimitri Aarav Noa"
)
_LAST: Final = _words(
    "Becker Brown Costa Dubois Eriksen Fischer Garcia Hansen Ivanova Jensen Kaya Lopez Müller "
    "Novak Okafor Papadopoulos Quinn Rossi Schmidt Tanaka Ueda Vogel Weber Xu Yilmaz "
    "Zimmermann Cohen Sharma"
)
_COMPANIES: Final = ("example.com", "example.org", "acme.example", "studio.example", "uni.example")


class Vocabulary:
    """The words of one script, by how often they come."""

    def __init__(self, name: str) -> None:
        """Make the words up; the same ones for the same name."""
        script = _SCRIPTS[name]
        random = Random(name)
        tail = (
            "".join(random.choices(script.syllables, k=random.choice((2, 2, 3, 3, 4))))
            for _ in range(_TAIL)
        )
        self._words = [*script.common, *tail]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))
        self._space = " " if script.spaced else ""

    def phrase(self, random: Random, count: int) -> str:
        """Return so many words."""
        return self._space.join(random.choices(self._words, cum_weights=self._weights, k=count))

    def paragraphs(self, random: Random, sentences: int) -> str:
        """Return a text of several paragraphs."""
        made = [self.phrase(random, random.randint(5, 16)) + "." for _ in range(sentences)]
        return "".join(f"{each}{random.choice((' ', ' ', chr(10)))}" for each in made).strip()


VOCABULARIES: Final = {name: Vocabulary(name) for name in LANGUAGES}


class Person(NamedTuple):
    """Somebody who is invited."""

    name: str
    mail: str


def person(random: Random) -> Person:
    """Return one of a few hundred people; most meetings are with the same ones."""
    rank = int(random.paretovariate(0.7)) % (len(_FIRST) * len(_LAST))
    first, last = _FIRST[rank % len(_FIRST)], _LAST[rank * 7 % len(_LAST)]
    company = _COMPANIES[rank % len(_COMPANIES)]
    ascii_name = f"{first}.{last}".encode("ascii", "ignore").decode().lower()
    return Person(f"{first} {last}", f"{ascii_name}@{company}")
