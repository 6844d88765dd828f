"""Texts of the recordings that training learns from."""

from pathlib import Path

import pytest

from training.speech.prompts import _fish, _stamps

pytestmark = pytest.mark.unit


def test_a_stamp_has_its_text_in_every_locale_that_is_learnt(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/tuxpaint/stamps/animals"
    folder.mkdir(parents=True)
    (folder / "frog.txt").write_text("A frog.\nfr.utf8=Une grenouille.\nel.utf8=Ένας βάτραχος.\n", "utf-8")
    for name in ("frog.ogg", "frog_desc.ogg", "frog_desc_fr.ogg", "frog_desc_el.ogg", "frog_desc_ca.ogg", "toad_desc.ogg"):
        (folder / name).touch()
    found = [(speaker, path.name, text) for speaker, _, path, text in _stamps(tmp_path)]
    assert found == [("stamps_en", "frog_desc.ogg", "A frog."), ("stamps_fr", "frog_desc_fr.ogg", "Une grenouille.")]


def test_a_line_of_the_comedy_is_found_by_its_name(tmp_path: Path) -> None:
    game = tmp_path / "usr/share/games/fillets-ng"
    (game / "script/city").mkdir(parents=True)
    (game / "sound/city/nl").mkdir(parents=True)
    (game / "sound/city/nl/calm.ogg").touch()
    (game / "script/city/dialogs_nl.lua").write_text(
        '\ndialogId("calm", "font", "Remain calm (please).")\ndialogStr("Blijf \\"rustig\\".")\n\n'
        'dialogId("lost", "font", "It has no sound.")\ndialogStr("Zonder geluid.")\n'
    )
    assert [(path.name, text) for _, _, path, text in _fish(tmp_path)] == [("calm.ogg", 'Blijf \\"rustig\\".')]
