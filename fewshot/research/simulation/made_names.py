"""Names for made calls, in Latin letters of many languages. Those for tuning and those for the test share no word."""

from __future__ import annotations

import numpy as np

from fewshot.call_labels.written import shape

_TUNING = (
    "Asha Anna Anne Jonas Lina Mia Noah Emma Léa Zoë José María Søren Łucja Şule Björn Renée Márton Žofia Ravi "
    "Priya Kofi Amina Yusuf Chloé André Ines Tomás Ilse Lukas Ida Ivan Olga Pedro Rosa Hugo Nina Erik Sara Paul",
    "Patel Müller García Nowak Y\u0131lmaz Andersen Dubois Novák Kovács Rossi Silva Johansson Ivanov Okafor Mensah "
    "Hassan Ali Sharma Singh Iyer Becker Weiß Schäfer Lefèvre Peña Núñez Öztürk Çelik Wójcik Dvořák Horváth Costa",
)
_TEST = (
    "Aaliyah Abigail Adrián Agnieszka Aiko Aleksander Alejandra Ålund Amélie Anaïs Anđela Ángel Antonín Arjun Astrid "
    "Ayşe Bartłomiej Beatriz Benedikt Brân Britta Caoimhe Carlos Cécile Charlotte Cristóbal Daniel Deepika Désirée "
    "Dimitra Eilidh Elif Élodie Emre Esmé Eszter Fatima Fiadh Françoise Frédéric Gülşen Günther Hanna Hélène Iñaki "
    "Isabella Ivana Jakub Jelena Jiří Joaquín Jürgen Kateřina Kjersti Klára Kübra László Leila Liam Liselotte Lucía "
    "Małgorzata Marcel Mathilde Matteo Mihai Mohammed Mónica Nadia Naïma Nikola Nyasha Oisín Oluwaseun Øyvind Paweł "
    "Pénélope Radosław Ragnhild Raphaël Sébastien Siobhán Sigrún Stanisław Štěpán Svetlana Tadeáš Takeshi Thandiwe "
    "Théo Ümit Uxía Valentina Veronika Vojtěch Wanjiru William Xiomara Yannick Yetunde Zanele Zdeněk Zuzana",
    "Abdullah Adeyemi Ågren Aguirre Alvarado Appiah Årud Bąk Banerjee Bělohlávek Blomqvist Bösch Bouchard Brânză "
    "Cárdenas Chaudhary Chevalier Cissé Córdoba Dąbrowska Delacroix Diallo Đorđević Doğan Échard Eriksen Espinoza "
    "Fernández Fitzgerald Fröhlich Gałązka Gómez Grønning Güneş Gustafsson Hämäläinen Hernández Hrubý Ibáñez Jørgensen "
    "Kaczmarek Kallström Karlsdóttir Kaya Kowalczyk Krüger Lindqvist López Łukasik Mbeki McAllister Mehta Mitchell "
    "Möbius Mokoena Montgomery Nakamura Ndiaye Nguyen Nørgaard Obradović O'Sullivan Özdemir Pająk Papadopoulos Pereira "
    "Petrović Quiñones Rahman Ramírez Reddy Robertson Romanescu Saarinen Šimůnek Sørensen Strâmbu Szabó Şahin Takács "
    "Thörnqvist Tkachenko Undset Vásquez Villanueva Vlček Wiśniewska Wright Yamamoto Zając Żeromska Zimmermann",
)
_ALIKE = (("Anna", "Anne"), ("Marie", "Maria"), ("Julia", "Julie"), ("Jan", "Jon"), ("Sofia", "Sofie"))
"""Given names that differ in one letter. They are in both parts, because every school has them."""


def made_class(rng: np.random.Generator, count: int, test: bool) -> list[str]:
    """Names of a class: all differ on a screen. One pair of names in it differs in one letter.

    Args:
        rng: draws them.
        count: how many, at least 4.
        test: the names for the test; False: those for tuning.
    """
    given, family = (part.split() for part in (_TEST if test else _TUNING))
    pair = _ALIKE[int(rng.integers(len(_ALIKE)))]
    last = str(rng.choice(family))
    names = [f"{one} {last}" for one in pair]
    shapes = {shape(name) for name in names}
    while len(names) < count:
        name = f"{rng.choice(given)} {rng.choice(family)}"
        kind = rng.random()
        if kind < 0.08:
            name = f"{name.split(maxsplit=1)[0]} {rng.choice(family)[0]}."
        elif kind < 0.16:
            name = f"{name}-{rng.choice(family)}"
        if shape(name) not in shapes and not any(
            name.split()[0] == other.split()[0] for other in names if "." in name + other
        ):
            shapes.add(shape(name))
            names.append(name)
    order = rng.permutation(count)
    return [names[place] for place in order]


def as_written(name: str, rng: np.random.Generator) -> str:
    """How a person writes the name in a call: mostly as it is."""
    kind = rng.random()
    if kind < 0.04:
        return f"{name} (Host)"
    if kind < 0.10:
        return f"{name} ({rng.choice(['she/her', 'he/him', 'they/them'])})"
    if kind < 0.13:
        return name.upper()
    return name
