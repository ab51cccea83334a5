"""The shipped hall loads and says what it should; whatever is wrong in a folder is said, all at once."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

import records
from records.content import (
    ContentError,
    catalogue_json,
    items_at,
    load_content,
    load_people,
    pinyin_of,
    warnings_of,
)
from records.model import AccountRole, Content, ItemId, MaterialForm, SiteId, SkillId, Text, Tier, ZoneId

DEMO = Path(records.__file__).parent / "demo"
REPOSITORY = DEMO.parent.parent


@pytest.fixture(scope="module")
def demo() -> Content:
    return load_content(DEMO)


# --- the shipped hall -----------------------------------------------------------------------------


def test_demo_has_seven_zones_in_the_promised_order(demo: Content) -> None:
    assert [zone.name.zh for zone in demo.zones] == [
        "开办企业",
        "办税服务",
        "综合服务",
        "不动产登记",
        "公安专区",
        "就业人才",
        "工程建设",
    ]


def test_demo_is_as_large_as_promised(demo: Content) -> None:
    tiers = Counter(site.tier for site in demo.sites)
    assert len(demo.departments) >= 31
    assert len(demo.items) >= 64
    assert tiers[Tier.DISTRICT] == 1
    assert tiers[Tier.TOWN] == 10
    assert tiers[Tier.VILLAGE] >= 12


def test_demo_has_the_items_that_every_hall_is_asked_for(demo: Content) -> None:
    names = {item.name.zh for item in demo.items}
    assert names >= {
        "道路普通货物运输车辆年度审验",
        "社保缴费证明打印",
        "不动产登记查询",
        "医保个人信息查询",
        "个体工商户设立登记",
        "普通护照申领",
        "往来港澳通行证申领",
        "往来台湾通行证申领",
    }


def test_every_demo_guide_fits_the_station_screen(demo: Content) -> None:
    for item in demo.items:
        assert 3 <= len(item.steps) <= 7, item.id
        assert 2 <= len(item.materials) <= 7, item.id


def test_every_demo_zone_has_first_choices_for_one_screen(demo: Content) -> None:
    featured = Counter(item.zone for item in demo.items if item.popular)
    assert all(5 <= featured[zone.id] <= 9 for zone in demo.zones)


def test_demo_english_has_no_chinese_left_in_it_and_the_other_way_round(demo: Content) -> None:
    for item in demo.items:
        texts = [item.name, item.summary, item.duration, item.fee, *item.steps]
        texts += [material.name for material in item.materials]
        texts += [material.note for material in item.materials if material.note is not None]
        for text in texts:
            assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text.en), text.en
            assert re.search(r"[\u4e00-\u9fff]", text.zh), text.zh


def test_items_are_searchable_by_pinyin_and_initials(demo: Content) -> None:
    by_name = {item.name.zh: item for item in demo.items}
    assert by_name["社保缴费证明打印"].initials == "sbjfzmdy"
    assert by_name["社保缴费证明打印"].pinyin == "she bao jiao fei zheng ming da yin"
    assert by_name["往来港澳通行证申领"].initials == "wlgatxzsl"
    assert by_name["未满 16 周岁护照申领"].initials == "wm16zshzsl"
    for item in demo.items:
        assert re.fullmatch(r"[a-z0-9]{3,}", item.initials), item.id
        assert re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", item.pinyin), item.id


def test_skill_is_the_zone_unless_said_otherwise(demo: Content) -> None:
    assert all(str(item.skill) == str(item.zone) for item in demo.items)


def test_villages_serve_less_than_the_district(demo: Content) -> None:
    served = {site.tier: len(items_at(demo, site.id)) for site in demo.sites if site.tier is not Tier.VILLAGE}
    assert served[Tier.DISTRICT] == len(demo.items)
    for site in demo.sites:
        assert items_at(demo, site.id), site.id
        if site.tier is Tier.VILLAGE:
            assert len(items_at(demo, site.id)) < len(demo.items)


def test_demo_people(demo: Content) -> None:
    people = load_people(DEMO, demo)
    roles = Counter(account.role for account in people.accounts)
    assert len({station.site for station in people.stations}) == 3
    assert roles == {
        AccountRole.AGENT: 9,
        AccountRole.EXPERT: 2,
        AccountRole.MANAGER: 1,
        AccountRole.ADMIN: 1,
    }
    agents = [account for account in people.accounts if account.role is AccountRole.AGENT]
    assert [agent.login for agent in agents] == [*(f"agent{n}" for n in range(1, 9)), "interpreter1"]
    for zone in demo.zones:
        assert any(SkillId(zone.id) in agent.skills for agent in agents), zone.id


def test_only_missing_videos_are_warned_of_in_the_demo(demo: Content) -> None:
    warnings = warnings_of(DEMO, demo, load_people(DEMO, demo))
    assert all(warning.startswith("media/") for warning in warnings)


def test_every_demo_icon_is_one_of_the_pages(demo: Content) -> None:
    symbols = re.findall(r'id="([^"]+)"', (REPOSITORY / "web/static/icons.svg").read_text(encoding="utf-8"))
    assert {zone.icon for zone in demo.zones} <= set(symbols)


def test_the_example_in_the_documentation_loads(tmp_path: Path) -> None:
    (tmp_path / "items").mkdir()
    text = (REPOSITORY / "docs/content.md").read_text(encoding="utf-8")
    for file, body in re.findall(r"```toml\n# (\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / file).write_text(body, encoding="utf-8")
    content = load_content(tmp_path)
    warnings = warnings_of(tmp_path, content, load_people(tmp_path, content))
    assert all(warning.startswith("media/") for warning in warnings)
    assert len(items_at(content, SiteId("old-town"))) == 1


# --- what pages ask -------------------------------------------------------------------------------


def test_a_site_serves_by_star_by_zone_and_by_item(demo: Content) -> None:
    village = items_at(demo, SiteId("qingxi-hexin"))
    assert ItemId("property-query") in {item.id for item in village}
    assert ItemId("second-hand-transfer") not in {item.id for item in village}
    assert {item.id for item in demo.items if item.zone == "general"} <= {item.id for item in village}
    assert items_at(demo, SiteId("wanghu")) == demo.items


def test_an_unknown_site_is_refused(demo: Content) -> None:
    with pytest.raises(KeyError):
        items_at(demo, SiteId("nowhere"))


def test_catalogue_of_the_whole_hall(demo: Content) -> None:
    document = json.loads(catalogue_json(demo))
    assert set(document) == {"hall", "zones", "departments", "items"}
    assert document["hall"] == {"name": {"zh": demo.name.zh, "en": demo.name.en}}
    assert len(document["items"]) == len(demo.items)
    first = document["items"][0]
    assert set(first) == set(demo.items[0].__struct_fields__)
    assert first["materials"][0]["form"] in set(MaterialForm)


def test_catalogue_of_a_site_leaves_out_what_it_may_not_do(demo: Content) -> None:
    document = json.loads(catalogue_json(demo, SiteId("shapu-shatan")))
    assert [zone["id"] for zone in document["zones"]] == ["general", "employment"]
    assert len(document["items"]) == 4


@pytest.mark.parametrize(
    ("text", "pinyin", "initials"),
    [
        ("重新申领", "chong xin shen ling", "cxsl"),
        ("重大疾病", "zhong da ji bing", "zdjb"),
        ("银行开户", "yin hang kai hu", "yhkh"),
        ("通行证", "tong xing zheng", "txz"),
        ("会计证", "kuai ji zheng", "kjz"),
        ("长期护理", "chang qi hu li", "cqhl"),
        ("法律援助", "fa lv yuan zhu", "flyz"),
        ("ETC 办理（12 月）", "etc ban li 12 yue", "etcbl12y"),
    ],
)
def test_pinyin(text: str, pinyin: str, initials: str) -> None:
    assert pinyin_of(text) == (pinyin, initials)


def test_a_reading_of_the_hall_wins_over_the_dictionary_and_the_longest_wins() -> None:
    readings = {"朝阳": "zhao yang", "朝阳路": "chao yang lu"}
    assert pinyin_of("朝阳路社区", readings) == ("chao yang lu she qu", "cylsq")
    assert pinyin_of("朝阳村", readings) == ("zhao yang cun", "zyc")


# --- a small hall, and what can be wrong with it -----------------------------------------------------

SMALL_HALL = """
id = "small"
name = { zh = "小大厅", en = "Small hall" }
[[zones]]
id = "tax"
name = { zh = "办税", en = "Tax" }
summary = { zh = "缴税", en = "Pay tax" }
icon = "receipt"
[[departments]]
id = "tax"
name = { zh = "税务局", en = "Tax bureau" }
"""
SMALL_SITES = """
[[sites]]
id = "district"
tier = "district"
name = { zh = "区", en = "District" }
address = { zh = "一号", en = "1" }
[[sites]]
id = "town"
tier = "town"
parent = "district"
name = { zh = "镇", en = "Town" }
address = { zh = "二号", en = "2" }
empowers = ["tax"]
"""
SMALL_ITEMS = """
[[items]]
id = "proof"
department = "tax"
name = { zh = "完税证明", en = "Proof" }
summary = { zh = "打印证明", en = "Print it" }
duration = { zh = "当场", en = "At once" }
fee = { zh = "免费", en = "Free" }
steps = [{ zh = "核对身份", en = "Identify" }]
materials = [{ name = { zh = "身份证", en = "Card" } }]
"""
SMALL_PEOPLE = """
[[stations]]
id = "s1"
site = "town"
name = { zh = "一号终端", en = "Station 1" }
[[accounts]]
login = "agent1"
role = "agent"
name = { zh = "张三", en = "Zhang San" }
badge = "1"
department = "tax"
site = "district"
skills = { tax = 3 }
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "items").mkdir()
    (tmp_path / "hall.toml").write_text(SMALL_HALL, encoding="utf-8")
    (tmp_path / "sites.toml").write_text(SMALL_SITES, encoding="utf-8")
    (tmp_path / "items" / "tax.toml").write_text(SMALL_ITEMS, encoding="utf-8")
    (tmp_path / "people.toml").write_text(SMALL_PEOPLE, encoding="utf-8")
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def add_zone(folder: Path, identity: str) -> None:
    zone = SMALL_HALL[SMALL_HALL.index("[[zones]]") : SMALL_HALL.index("[[departments]]")]
    change(
        folder, "hall.toml", "[[departments]]", zone.replace('"tax"', f'"{identity}"', 1) + "[[departments]]"
    )


def problems_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ContentError) as caught:
        load_people(folder, load_content(folder))
    return caught.value.problems


def test_the_small_hall_is_sound(small: Path) -> None:
    content = load_content(small)
    assert content.name == Text("小大厅", "Small hall")
    assert content.items[0].zone == ZoneId("tax")
    assert load_people(small, content).accounts[0].id == "agent1"


ZONE_LINE = 'icon = "receipt"'
ITEM_TOP = 'department = "tax"\nname'
RULE = "must be small letters a-z, digits and hyphens, at most 64"

WRONG = [
    # shapes
    ("hall.toml", 'id = "small"', "", "id: is missing"),
    ("hall.toml", 'id = "small"', 'id = "Small Hall"', f"id: 'Small Hall' {RULE}"),
    ("hall.toml", 'id = "small"', 'id = "small"\ncolour = 1', "colour: there is no such key"),
    ("hall.toml", 'zh = "小大厅", ', "", "name.zh: is missing"),
    ("hall.toml", ZONE_LINE, "icon = 7", "zones[0].icon: must be text in quotes, not a whole number"),
    ("hall.toml", "[[departments]]", "[departments]", "departments: must be a list; write"
     " [[departments]] before each entry"),
    ("items/tax.toml", "fee =", "fees =", "items[0].fees: there is no such key; did you mean 'fee'?"),
    ("items/tax.toml", "fee =", "fees =", "items[0].fee: is missing"),
    ("items/tax.toml", 'en = "Identify"', 'en = " "', "items[0].steps[0].en: is empty"),
    ("items/tax.toml", "[{ zh = \"核对身份\", en = \"Identify\" }]", "[]",
     "items[0].steps: at least one step is needed"),
    ("items/tax.toml", '[{ name = { zh = "身份证", en = "Card" } }]', "[]",
     "items[0].materials: at least one material is needed"),
    ("items/tax.toml", 'en = "Card" } }', 'en = "Card" }, form = "copies" }',
     "items[0].materials[0].form: must be one of original, copy, original_and_copy,"
     " filled_form; it is 'copies'; did you mean 'copy'?"),
    ("items/tax.toml", 'en = "Card" } }', 'en = "Card" }, note = { zh = "带上" } }',
     "items[0].materials[0].note.en: is missing"),
    ("items/tax.toml", ITEM_TOP, 'popular = -1\n' + ITEM_TOP,
     "items[0].popular: must be 0 or more; higher is shown earlier"),
    ("items/tax.toml", ITEM_TOP, 'skill = "Tax law"\n' + ITEM_TOP, f"items[0].skill: 'Tax law' {RULE}"),
    ("items/tax.toml", ITEM_TOP, 'video = "../x.webm"\n' + ITEM_TOP,
     "items[0].video: must be the name of a .webm file in media/, without a folder"),
    ("items/tax.toml", "[[items]]", "[[item]]", "item: there is no such key; did you mean 'items'?"),
    ("sites.toml", 'tier = "town"', 'tier = "twon"',
     "sites[1].tier: must be one of district, town, village; it is 'twon'; did you mean 'town'?"),
    # ids and references
    ("items/tax.toml", 'department = "tax"', 'department = "taxx"',
     "items[0].department: there is no department 'taxx'; did you mean 'tax'?"),
    ("items/tax.toml", 'id = "proof"', 'id = "tax"',
     "items[0].id: 'tax' is already the id of a zone, so 'empowers' could mean either"),
    ("items/tax.toml", 'id = "proof"', 'id = "Proof!"', f"items[0].id: 'Proof!' {RULE}"),
    ("sites.toml", 'empowers = ["tax"]', 'empowers = ["proof", "prof"]',
     "sites[1].empowers[1]: there is no zone or item 'prof'; did you mean 'proof'?"),
    ("sites.toml", 'id = "town"', 'id = "district"',
     "sites[1].id: 'district' is already used by sites.toml: sites[0]"),
    ("hall.toml", "[[zones]]", '[readings]\n"调档" = "diao"\n[[zones]]',
     "readings.调档: must be one syllable in small letters for each character"),
    # the tree
    ("sites.toml", 'parent = "district"', 'parent = "distric"',
     "sites[1].parent: there is no site 'distric'; did you mean 'district'?"),
    ("sites.toml", 'parent = "district"', "",
     "sites[1].parent: is missing; a town needs the id of its district"),
    ("sites.toml", 'parent = "district"', 'parent = "town"',
     "sites[1].parent: the parents go round in a circle: town -> town"),
    ("sites.toml", 'tier = "town"', 'tier = "village"',
     "sites[1].parent: a village belongs to a town, but 'district' is a district"),
    ("sites.toml", 'tier = "town"\nparent = "district"', 'tier = "district"',
     "sites: exactly one site must have the tier 'district'; there are 2"),
    ("sites.toml", 'tier = "district"', 'tier = "district"\nparent = "town"',
     "sites[0].parent: a district has no parent"),
    # people
    ("people.toml", 'site = "town"', 'site = "twn"',
     "stations[0].site: there is no site 'twn'; did you mean 'town'?"),
    ("people.toml", 'role = "agent"', 'role = "boss"',
     "accounts[0].role: must be one of agent, expert, manager, admin; it is 'boss'"),
    ("people.toml", 'login = "agent1"', 'login = "Agent 1"', f"accounts[0].login: 'Agent 1' {RULE}"),
    ("people.toml", 'badge = "1"', "badge = 1",
     "accounts[0].badge: must be text in quotes, not a whole number"),
    ("people.toml", 'department = "tax"', 'department = "tex"',
     "accounts[0].department: there is no department 'tex'; did you mean 'tax'?"),
    ("people.toml", "tax = 3", "tax = 6",
     "accounts[0].skills.tax: the level must be from 1 (can) to 5 (teaches); it is 6"),
    ("people.toml", "tax = 3", "taxi = 3",
     "accounts[0].skills.taxi: there is no zone or item with the skill 'taxi'; did you mean 'tax'?"),
    ("people.toml", "tax = 3", 'tax = "3"',
     "accounts[0].skills.tax: must be a whole number, not text in quotes"),
    ("people.toml", "skills = { tax = 3 }", "", "accounts[0].skills: an agent needs at least one skill"),
    ("people.toml", 'badge = "1"', 'badge = "1"\npassword = "secret"',
     "accounts[0].password: there is no such key"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem"), WRONG)
def test_each_fault_is_named_with_its_place(small: Path, file: str, old: str, new: str, problem: str) -> None:
    change(small, file, old, new)
    assert f"{file}: {problem}" in problems_of(small)


def test_an_id_used_in_two_files_is_found(small: Path) -> None:
    change(
        small,
        "hall.toml",
        "[[departments]]",
        SMALL_HALL[SMALL_HALL.index("[[zones]]") :].replace('"tax"', '"two"', 1),
    )
    shutil.copy(small / "items" / "tax.toml", small / "items" / "two.toml")
    assert "items/two.toml: items[0].id: 'proof' is already used by items/tax.toml: items[0]" in problems_of(
        small
    )


def test_a_file_of_items_is_named_after_its_zone(small: Path) -> None:
    (small / "items" / "tax.toml").rename(small / "items" / "taxe.toml")
    assert problems_of(small) == ("items/taxe.toml: there is no zone 'taxe'; did you mean 'tax'?",)


def test_a_badge_belongs_to_one_person(small: Path) -> None:
    account = SMALL_PEOPLE[SMALL_PEOPLE.index("[[accounts]]") :].replace("agent1", "agent2")
    (small / "people.toml").write_text(SMALL_PEOPLE + account, encoding="utf-8")
    assert problems_of(small) == (
        "people.toml: accounts[1].badge: '1' is already used by people.toml: accounts[0]",
    )


def test_several_faults_are_reported_together_and_one_hides_no_other(small: Path) -> None:
    change(small, "hall.toml", ZONE_LINE, "")
    change(small, "sites.toml", 'parent = "district"', 'parent = "distric"')
    change(small, "items/tax.toml", 'department = "tax"', 'department = "taxx"')
    assert set(problems_of(small)) == {
        "hall.toml: zones[0].icon: is missing",
        "sites.toml: sites[1].parent: there is no site 'distric'; did you mean 'district'?",
        "items/tax.toml: items[0].department: there is no department 'taxx'; did you mean 'tax'?",
    }


def test_two_faults_in_one_record_are_both_reported(small: Path) -> None:
    change(small, "items/tax.toml", 'fee = { zh = "免费"', 'fee = { zh = ""')
    change(small, "items/tax.toml", 'department = "tax"', "department = 4")
    assert set(problems_of(small)) == {
        "items/tax.toml: items[0].fee.zh: is empty",
        "items/tax.toml: items[0].department: must be text in quotes, not a whole number",
    }


def test_a_file_that_cannot_be_read_is_the_only_thing_reported(small: Path) -> None:
    (small / "hall.toml").unlink()
    assert problems_of(small) == ("hall.toml: this file is missing",)


def test_broken_toml_is_named_with_its_line(small: Path) -> None:
    (small / "sites.toml").write_text("[[sites]\n", encoding="utf-8")
    (problem,) = problems_of(small)
    assert problem.startswith("sites.toml: this is not TOML: ")
    assert "line 1" in problem


def test_a_file_in_another_encoding_is_named(small: Path) -> None:
    (small / "items" / "tax.toml").write_bytes(SMALL_ITEMS.encode("gb18030"))
    assert problems_of(small) == ("items/tax.toml: this file is not UTF-8 text",)


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == (
        "hall.toml: this file is missing",
        "sites.toml: this file is missing",
        "items: there is no file of items; write one for each zone, such as items/general.toml",
    )


def test_warnings_do_not_stop_the_loading(small: Path) -> None:
    change(small, "items/tax.toml", ITEM_TOP, 'video = "proof.webm"\nskill = "rare"\n' + ITEM_TOP)
    add_zone(small, "empty")
    content = load_content(small)
    assert warnings_of(small, content, load_people(small, content)) == (
        "media/proof.webm: this video, named by the item 'proof', is missing",
        "items/empty.toml: the zone 'empty' has no items",
        "people.toml: no agent has the skill 'rare', so nobody can take its calls",
        "people.toml: nobody is an administrator",
    )
    (small / "media").mkdir()
    (small / "media" / "proof.webm").touch()
    assert not any(warning.startswith("media/") for warning in warnings_of(small, content))
