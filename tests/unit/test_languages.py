"""A guess of the language somebody writes: right when it is made, and not made of too little."""

from __future__ import annotations

import pytest

from customers.languages import called, guessed


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hi, it's me Maya. I emailed you about my parcel, which never came.", "en"),
        ("Hola, ¿hay alguien? Mi pedido #48213 todavía no ha llegado, gracias.", "es"),
        ("Olá, a minha encomenda ainda não chegou. O que aconteceu?", "pt"),
        ("Wo bleibt meine Bestellung 48213? Ich warte seit zwei Wochen.", "de"),
        ("Bonjour, ma commande n'est toujours pas arrivée. Que faire ?", "fr"),
        ("Здравствуйте, где мой заказ? Я жду уже две недели, и никто не отвечает.", "ru"),
        ("注文した商品がまだ届きません。どうなっていますか", "ja"),
        ("WO BLEIBT MEINE BESTELLUNG? ICH WARTE SEIT ZWEI WOCHEN.", "de"),
    ],
)
def test_whole_sentences_tell_their_language(text: str, language: str) -> None:
    assert guessed(text) == language


@pytest.mark.parametrize("text", ["", "ok", "Hallo?", "maya@ortiz.test +1 415 555 2671 https://shop.test/orders/48213"])
def test_too_little_tells_none(text: str) -> None:
    assert guessed(text) == ""


def test_a_very_long_text_is_read_only_at_its_beginning() -> None:
    assert guessed("Ich warte seit zwei Wochen auf meine Bestellung. " * 10_000) == "de"


def test_languages_are_called_by_their_names() -> None:
    assert (called("pt"), called("de")) == ("Portuguese", "German")
    told = called(guessed("我的包裹还没有到，请问什么时候可以收到？谢谢"))
    assert (told, called("yue"), called("tl"), called("gu")) == ("Chinese", "Cantonese", "Tagalog", "Gujarati")


def test_a_language_whose_name_is_not_known_is_not_named() -> None:
    assert called("xx") == ""
