"""Lets one teacher ask for what belongs to another one, by every way there is."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.engine import in_folder
from fewshot.errors import FewshotError
from fewshot.research.bench.hostile import (
    MEDIA_NAME,
    SECRET,
    TAB_NAME,
    Theirs,
    Tried,
    WithLogin,
    cookies_of,
    make_two,
    over_http,
    show,
    tab_of,
    through_stores,
)
from fewshot.research.bench.hostile_service import over_api, over_streams, through_access
from fewshot.session.lessons import LessonStore


def attack(home: Path, most: int, seed: int = 0) -> dict[str, Tried]:
    """Make two teachers in a new folder, serve the app, and send ``most`` requests of the second one.

    Args:
        home: an empty folder.
        most: requests altogether; a third goes to ``/api``, nearly as many to the stores, and at most 40 draw a page.
        seed: of the choices.

    Returns:
        Kind of request -> what came of it.

    Raises:
        FewshotError: the first teacher's own page shows nothing, so nothing would be tested; or her things changed.
    """
    database = in_folder(home)
    theirs, bert = make_two(database)
    before = _all_of(database, theirs)
    tried = through_stores(database, theirs, bert, most // 5, seed)
    tried |= through_access(database, theirs, bert, most // 10, seed)
    app = WithLogin(home)
    try:
        hers, his = cookies_of(app, "Anna"), cookies_of(app, "Bert")
        query = urlencode({"lesson": theirs.lesson, "class": theirs.classroom})
        with tab_of(app, hers) as socket:
            told = show(socket, "", "") + show(socket, "report", query)
            if SECRET.encode() not in told:
                raise FewshotError("The first teacher's own page does not show the lesson, so nothing can be tested.")
            tabs = sorted({found.decode() for found in TAB_NAME.findall(told)})
            media = sorted({found.decode() for found in MEDIA_NAME.findall(told)}) or [f"/media/{'0' * 64}.png"]
            drawn = tried["page with another one's numbers, WebSocket"] = Tried()
            for number in range(min(40, max(4, most // 50))):
                with tab_of(app, his, tabs[number % len(tabs)]) as other:
                    drawn.requests += 1
                    page = ("report", "live", "classes", "settings")[number % 4]
                    shown = show(other, page, query).replace(query.encode(), b"")
                    # Settings has a part on safety, with the audit log, which is for administrators.
                    if SECRET.encode() in shown or b"Recovery file" in shown or b"Who did what" in shown:
                        drawn.read.append(page)
            tried |= over_streams(app, database, theirs, bert, most // 20, seed)
            tried |= over_api(app, database, theirs, bert, his, most // 3, seed)
            left = most - sum(one.requests for one in tried.values())
            tried |= over_http(app, theirs, tabs, media, his, left, seed)
    finally:
        app.stop()
    if _all_of(database, theirs) != before:
        raise FewshotError("Something of the first teacher's was changed.")
    return tried


def _all_of(database: Database, theirs: Theirs) -> str:
    lessons, classes = LessonStore(database, theirs.owner), ClassStore(database, theirs.owner)
    loaded = lessons.load(theirs.lesson)
    return repr(
        (loaded.info.title, loaded.markers, classes.names(), classes.portrait(theirs.classroom, f"Student {SECRET}"))
    )
