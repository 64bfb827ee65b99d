"""Stories: what the files of `tests/data/formats` say. All of it is invented, and written for this project.

A story is a text with holes; its variants fill them with names and numbers of their own, so that every file holds other
facts. A question names what only its file tells of.
"""
# ruff: noqa: E501 (the lines of the texts are as long as they are)

from dataclasses import dataclass

# A paragraph, the items of a list, or the rows of a table, the first of which is its head.
Block = str | list[str] | tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the words that answer it, and the heading above them."""

    question: str
    answer: str
    section: str


@dataclass(frozen=True, slots=True)
class Story:
    """A text: its title, and sections, each with a heading and what stands below it."""

    name: str
    title: str
    sections: tuple[tuple[str, tuple[Block, ...]], ...]
    questions: tuple[Question, ...]


def _filled(block: Block, facts: dict[str, str]) -> Block:
    if isinstance(block, str):
        return block.format(**facts)
    if isinstance(block, list):
        return [item.format(**facts) for item in block]
    return tuple(tuple(cell.format(**facts) for cell in row) for row in block)


_TEXTS: dict[str, tuple[str, tuple[tuple[str, tuple[Block, ...]], ...], tuple[tuple[str, str, str], ...]]] = {
    "ferry": (
        "The {boat} Sails Again",
        (
            (
                "Out of Service",
                (
                    "The ferry {boat} carried passengers between {a} and {b} again on Monday. She had been out of "
                    "service since the night of {night}, when a floating log broke her rudder off the harbour of {b}.",
                    "In the weeks between, commuters had to take the bus around the fjord, which takes ninety minutes "
                    "longer. The council paid for the tickets.",
                ),
            ),
            (
                "The Repair",
                (
                    "The rudder was replaced at the shipyard of {yard}. According to the manager, {manager}, the yard "
                    "needed nineteen days for the work. The repair of the {boat} cost {cost} kroner, half of which is "
                    "paid by the insurance.",
                ),
            ),
            (
                "What It Costs to Cross",
                (
                    "A single ticket from {a} to {b} costs {fare} kroner. Fares have not gone up since 2016.",
                    ["Children under six travel for free.", "Bicycles cost twelve kroner.", "Dogs need a muzzle."],
                ),
            ),
        ),
        (
            ("How much did the repair of the {boat} cost?", "{cost} kroner", "The Repair"),
            ("What broke the rudder of the ferry {boat}?", "floating log", "Out of Service"),
            ("How much is a single ticket from {a} to {b}?", "{fare} kroner", "What It Costs to Cross"),
        ),
    ),
    "water": (
        "{town} Water Board: Annual Report {year}",
        (
            (
                "Mains",
                (
                    "In {year} the {town} Water Board replaced {length} kilometres of mains, most of them in the quarter "
                    "of {quarter}, where cast-iron pipes from 1928 were still in use. Losses through leaks fell from 18 "
                    "to 11 per cent. The contractor, {contractor}, had been chosen among five bidders.",
                    "Residents were without water for six hours at most. Tankers stood ready at the school and at the "
                    "harbour, staffed by volunteers of the fire brigade, who had been trained in February.",
                ),
            ),
            (
                "Quality",
                (
                    "The laboratory of the {town} Water Board examined {samples} samples in {year}. Four of them held "
                    "more iron than is allowed; none held bacteria. The chlorination plant has been switched off since "
                    "the first of June.",
                ),
            ),
            (
                "Outlook",
                (
                    "Next year the {town} Water Board will rebuild the pumping station of {station}. The board is led by "
                    "{chair}, who was elected for a second term in May.",
                ),
            ),
        ),
        (
            ("How many kilometres of mains did the {town} Water Board replace?", "{length}", "Mains"),
            ("How many samples did the laboratory of the {town} Water Board examine?", "{samples}", "Quality"),
            ("Who leads the {town} Water Board?", "{chair}", "Outlook"),
        ),
    ),
    "tower": (
        "The Lighthouse of {place}",
        (
            (
                "Construction",
                (
                    "The lighthouse of {place} was built between {begun} and {done} under the direction of the engineer "
                    "{engineer}, who had put up beacons along the whole of the northern coast before. The correspondence "
                    "about it, which fills eleven boxes, tells of strikes, shipwrecks and a winter without potatoes.",
                    "The tower of {place} is {height} metres high. Its lens came from Gothenburg on board a steamer that "
                    "nearly foundered on the way.",
                ),
            ),
            (
                "Keepers",
                (
                    "The first keeper of the lighthouse of {place}, {keeper}, served for twenty-six years without a day "
                    "of leave. He measured temperature and wind three times a day, and his observations are still used "
                    "by those who study the climate of the coast.",
                ),
            ),
            (
                "Museum",
                (
                    "Since the light was automated, the flat of the keepers has been a small museum. It receives about "
                    "nine thousand visitors each summer. The office sells books, postcards and waffles.",
                ),
            ),
        ),
        (
            ("How high is the tower of {place}?", "{height} metres", "Construction"),
            ("Who was the first keeper of the lighthouse of {place}?", "{keeper}", "Keepers"),
            ("Which engineer directed the building of the lighthouse of {place}?", "{engineer}", "Construction"),
        ),
    ),
    "rules": (
        "Handbook of the {club}",
        (
            (
                "Borrowing a Boat",
                (
                    "Members of the {club} may borrow a boat for {days} days. The fee is {fee} kroner a day and is paid "
                    "when the boat comes back. A boat that comes back dirty is cleaned at the member's cost.",
                ),
            ),
            (
                "Keys",
                (
                    "The keys of the {club} are kept by the warden, {warden}, who lives next to the slipway.",
                    ["Ask the warden for the key.", "Sign the book.", "Bring the key back before sunset."],
                ),
            ),
            (
                "Boats",
                (
                    "The {club} owns three boats, all of them built of larch.",
                    (
                        ("Boat", "Length", "Berth"),
                        ("{first}", "6.2 metres", "A4"),
                        ("{second}", "4.8 metres", "B1"),
                        ("{third}", "5.5 metres", "C7"),
                    ),
                    "The {first} was given to the {club} by the family of its founder, {founder}.",
                ),
            ),
        ),
        (
            ("Who keeps the keys of the {club}?", "{warden}", "Keys"),
            ("For how many days may members of the {club} borrow a boat?", "{days}", "Borrowing a Boat"),
            ("Who was the founder of the {club}?", "{founder}", "Boats"),
        ),
    ),
    "works": (
        "The Cannery of {place}",
        (
            (
                "Sprats and Apples",
                (
                    "The cannery of {place} was opened in {opened} by the brothers {brothers}. It packed sprats, herring "
                    "and, in the autumn, apples from the orchards of the valley. In its best year {workers} people "
                    "worked at the cannery of {place}, most of them women.",
                ),
            ),
            (
                "The Fire",
                (
                    "A fire destroyed the drying loft of the cannery of {place} in {fire}. The company, which was not "
                    "insured, never recovered from the loss and was wound up three years later.",
                ),
            ),
            (
                "Today",
                (
                    "The parish bought the buildings for one krone. The chimney was saved by a collection among former "
                    "workers, and there is a library on the ground floor. The boiler of the cannery of {place} is shown "
                    "in the museum of {museum}.",
                ),
            ),
        ),
        (
            ("How many people worked at the cannery of {place} in its best year?", "{workers}", "Sprats and Apples"),
            ("When did a fire destroy the drying loft of the cannery of {place}?", "{fire}", "The Fire"),
            ("Where is the boiler of the cannery of {place} shown?", "{museum}", "Today"),
        ),
    ),
    "device": (
        "{model} Heat Pump: Installation and Care",
        (
            (
                "Where to Put It",
                (
                    "The outdoor unit of the {model} needs {clearance} centimetres of free space in front of it. Do not "
                    "mount it above a path: water drips from it in winter and freezes.",
                    ["Use the four rubber feet.", "Lead the hose downhill.", "Keep leaves away from the grille."],
                ),
            ),
            (
                "Filters",
                (
                    "Clean the filters of the {model} every {weeks} weeks. Rinse them with lukewarm water, without soap, "
                    "and let them dry in the shade. A filter that is torn must be replaced; its part number is {part}.",
                ),
            ),
            (
                "When Something Is Wrong",
                (
                    "The display of the {model} shows a letter and a number when something is wrong.",
                    (
                        ("Code", "Meaning", "Remedy"),
                        ("E1", "The filter is blocked", "Clean it"),
                        ("E4", "The pressure is too low", "Call the service"),
                        ("F2", "The fan stands still", "Remove ice"),
                    ),
                    "The service for the {model} answers the telephone number {phone} on working days.",
                ),
            ),
        ),
        (
            ("How often must the filters of the {model} be cleaned?", "every {weeks} weeks", "Filters"),
            (
                "How much free space does the outdoor unit of the {model} need?",
                "{clearance} centimetres",
                "Where to Put It",
            ),
            ("What is the telephone number of the service for the {model}?", "{phone}", "When Something Is Wrong"),
        ),
    ),
    "minutes": (
        "Minutes of the Parish Council of {parish}",
        (
            (
                "Attendance",
                (
                    "The parish council of {parish} met on {day} in the old school. Nine of eleven members were present; "
                    "{absent} had sent apologies. The meeting was led by {chair} and began half an hour late, because "
                    "the key of the school had been left in {town}.",
                ),
            ),
            (
                "School Road",
                (
                    "The council of {parish} decided to close School Road to lorries from the first of August. "
                    "Councillor {mover} had moved this after two accidents. Nobody voted against it.",
                ),
            ),
            (
                "Budget",
                (
                    "The parish council of {parish} granted {grant} kroner for the roof of the church. The roof was last "
                    "repaired in 1974, and it rains onto the organ.",
                ),
            ),
        ),
        (
            ("When did the parish council of {parish} meet?", "{day}", "Attendance"),
            ("Who moved that {parish} close School Road to lorries?", "{mover}", "School Road"),
            ("How much did the council of {parish} grant for the roof of the church?", "{grant} kroner", "Budget"),
        ),
    ),
    "study": (
        "Eelgrass in {bay} Bay",
        (
            (
                "Methods",
                (
                    "We measured the eelgrass meadows of {bay} Bay with an underwater drone in {month}. The drone flew "
                    "along {transects} transects, each of them two hundred metres long, at a height of one metre above "
                    "the bottom. Pictures were sorted by three people who did not know where they had been taken.",
                ),
            ),
            (
                "Results",
                (
                    "Eelgrass covered {cover} per cent of the bottom of {bay} Bay. It grew down to a depth of {depth} "
                    "metres, deeper than ever since measurements began. Meadows were densest near the mouth of the river.",
                ),
            ),
            (
                "Funding",
                (
                    "The study of {bay} Bay was funded by the {fund}. The authors have nothing to declare but their love "
                    "of cold water.",
                ),
            ),
        ),
        (
            ("How many transects did the drone fly along in {bay} Bay?", "{transects}", "Methods"),
            ("Down to which depth did eelgrass grow in {bay} Bay?", "{depth} metres", "Results"),
            ("Who funded the study of {bay} Bay?", "{fund}", "Funding"),
        ),
    ),
}

_FACTS: dict[str, tuple[dict[str, str], ...]] = {
    "ferry": (
        {
            "boat": "Valborg",
            "a": "Kolvik",
            "b": "Sandøy",
            "night": "3 May",
            "yard": "Brattnes",
            "manager": "Ole Brandt",
            "cost": "840,000",
            "fare": "42",
        },
        {
            "boat": "Fjordglimt",
            "a": "Hestvik",
            "b": "Lauvøy",
            "night": "19 March",
            "yard": "Tangen",
            "manager": "Siri Nass",
            "cost": "615,000",
            "fare": "38",
        },
        {
            "boat": "Havørn",
            "a": "Stokke",
            "b": "Grip",
            "night": "11 October",
            "yard": "Myklebust",
            "manager": "Jens Otter",
            "cost": "1,270,000",
            "fare": "55",
        },
        {
            "boat": "Rosendal",
            "a": "Ulvsund",
            "b": "Kinn",
            "night": "27 January",
            "yard": "Solund",
            "manager": "Maren Tolle",
            "cost": "930,000",
            "fare": "47",
        },
        {
            "boat": "Terningen",
            "a": "Hitra",
            "b": "Dolm",
            "night": "8 June",
            "yard": "Kvenvær",
            "manager": "Arne Bolt",
            "cost": "480,000",
            "fare": "33",
        },
    ),
    "water": (
        {
            "town": "Eidsund",
            "year": "2022",
            "length": "3.7",
            "quarter": "Nordvik",
            "contractor": "Berge Anlegg",
            "samples": "412",
            "station": "Myr",
            "chair": "Petra Holm",
        },
        {
            "town": "Larkmoor",
            "year": "2021",
            "length": "5.2",
            "quarter": "Tanners' Row",
            "contractor": "Hobbs and Daughters",
            "samples": "388",
            "station": "Flint Lane",
            "chair": "Gwen Astley",
        },
        {
            "town": "Vestre",
            "year": "2023",
            "length": "2.9",
            "quarter": "Brygga",
            "contractor": "Rørteam",
            "samples": "527",
            "station": "Kvern",
            "chair": "Ingvild Rem",
        },
        {
            "town": "Copperhithe",
            "year": "2020",
            "length": "6.4",
            "quarter": "Old Docks",
            "contractor": "Pell Brothers",
            "samples": "301",
            "station": "Gallows Hill",
            "chair": "Amos Tarn",
        },
        {
            "town": "Sondre Elv",
            "year": "2024",
            "length": "4.1",
            "quarter": "Sagbakken",
            "contractor": "Nordgrav",
            "samples": "466",
            "station": "Furu",
            "chair": "Kari Lund",
        },
    ),
    "tower": (
        {
            "place": "Brattnes",
            "begun": "1871",
            "done": "1874",
            "engineer": "Halvard Tysse",
            "height": "31",
            "keeper": "Anders Molde",
        },
        {
            "place": "Skarvholm",
            "begun": "1883",
            "done": "1886",
            "engineer": "Carl Wiborg",
            "height": "27",
            "keeper": "Peder Rist",
        },
        {
            "place": "Gull Point",
            "begun": "1859",
            "done": "1861",
            "engineer": "Isaac Thorne",
            "height": "38",
            "keeper": "Silas Webb",
        },
        {
            "place": "Ternskjær",
            "begun": "1895",
            "done": "1899",
            "engineer": "Nils Fosse",
            "height": "22",
            "keeper": "Mikal Eide",
        },
        {
            "place": "Cape Mercy",
            "begun": "1866",
            "done": "1870",
            "engineer": "Edgar Pym",
            "height": "44",
            "keeper": "Thomas Garrow",
        },
    ),
    "rules": (
        {
            "club": "Eide Boathouse",
            "days": "three",
            "fee": "150",
            "warden": "Turid Vik",
            "first": "Solveig",
            "second": "Terna",
            "third": "Otra",
            "founder": "Knut Hovda",
        },
        {
            "club": "Marsh End Rowing Club",
            "days": "five",
            "fee": "90",
            "warden": "Dilys Crane",
            "first": "Heron",
            "second": "Coot",
            "third": "Plover",
            "founder": "Major Bertram Fenn",
        },
        {
            "club": "Lysevik Seilforening",
            "days": "two",
            "fee": "210",
            "warden": "Geir Aske",
            "first": "Fram",
            "second": "Ravn",
            "third": "Alka",
            "founder": "Doctor Emma Lie",
        },
        {
            "club": "Quarry Lake Society",
            "days": "four",
            "fee": "75",
            "warden": "Hamish Orr",
            "first": "Slate",
            "second": "Gneiss",
            "third": "Basalt",
            "founder": "Ruth Calder",
        },
        {
            "club": "Nesodden Kystlag",
            "days": "seven",
            "fee": "130",
            "warden": "Liv Strand",
            "first": "Gudrun",
            "second": "Skarv",
            "third": "Måke",
            "founder": "Trygve Aas",
        },
    ),
    "works": (
        {
            "place": "Hovda",
            "opened": "1904",
            "brothers": "Lars and Nils Hovda",
            "workers": "210",
            "fire": "November 1951",
            "museum": "Kolvik",
        },
        {
            "place": "Saltnes",
            "opened": "1911",
            "brothers": "Erik and Ivar Salt",
            "workers": "164",
            "fire": "February 1948",
            "museum": "Bergstad",
        },
        {
            "place": "Whiting Quay",
            "opened": "1897",
            "brothers": "Job and Abel Finch",
            "workers": "340",
            "fire": "August 1939",
            "museum": "Harwick",
        },
        {
            "place": "Mosterhamn",
            "opened": "1920",
            "brothers": "Odd and Leif Moster",
            "workers": "95",
            "fire": "April 1957",
            "museum": "Stord",
        },
        {
            "place": "Penmarrow",
            "opened": "1888",
            "brothers": "Denzil and Jago Rowe",
            "workers": "275",
            "fire": "June 1933",
            "museum": "Truscott",
        },
    ),
    "device": (
        {"model": "Nordvarm 7", "clearance": "60", "weeks": "four", "part": "NV-2281", "phone": "555 0143"},
        {"model": "Polaris S", "clearance": "45", "weeks": "six", "part": "PS-0917", "phone": "555 0178"},
        {"model": "Breva 12", "clearance": "80", "weeks": "three", "part": "BR-4410", "phone": "555 0112"},
        {"model": "Fjellvind", "clearance": "55", "weeks": "five", "part": "FV-1006", "phone": "555 0199"},
        {"model": "Calora Mini", "clearance": "35", "weeks": "eight", "part": "CM-7352", "phone": "555 0121"},
    ),
    "minutes": (
        {
            "parish": "Upper Dale",
            "day": "14 May 2019",
            "absent": "Joan Pike and Walter Moss",
            "chair": "Hester Blythe",
            "town": "Lower Dale",
            "mover": "Frank Udall",
            "grant": "350,000",
        },
        {
            "parish": "Ytre Sund",
            "day": "6 February 2020",
            "absent": "Odd Ness",
            "chair": "Randi Bakke",
            "town": "Indre Sund",
            "mover": "Tor Hagen",
            "grant": "420,000",
        },
        {
            "parish": "Saint Orme",
            "day": "23 September 2018",
            "absent": "Clara Venn",
            "chair": "Ambrose Kell",
            "town": "Ormeford",
            "mover": "Violet Sharp",
            "grant": "185,000",
        },
        {
            "parish": "Holtelia",
            "day": "30 November 2021",
            "absent": "Berit Moe and Anne Lie",
            "chair": "Steinar Foss",
            "town": "Holte",
            "mover": "Gunn Berg",
            "grant": "610,000",
        },
        {
            "parish": "Thistlewick",
            "day": "2 July 2017",
            "absent": "George Amble",
            "chair": "Nora Quill",
            "town": "Wickham",
            "mover": "Percy Lund",
            "grant": "275,000",
        },
    ),
    "study": (
        {
            "bay": "Ringvik",
            "month": "June",
            "transects": "24",
            "cover": "37",
            "depth": "7.4",
            "fund": "Sparebank Foundation",
        },
        {"bay": "Candle", "month": "July", "transects": "18", "cover": "52", "depth": "6.1", "fund": "Tidewater Trust"},
        {
            "bay": "Oksefjord",
            "month": "August",
            "transects": "31",
            "cover": "29",
            "depth": "8.8",
            "fund": "Coastal Research Council",
        },
        {
            "bay": "Sorrel",
            "month": "September",
            "transects": "15",
            "cover": "61",
            "depth": "5.3",
            "fund": "Hartley Bequest",
        },
        {
            "bay": "Mirror",
            "month": "May",
            "transects": "27",
            "cover": "44",
            "depth": "9.2",
            "fund": "Institute of Shallow Seas",
        },
    ),
}


def stories() -> list[Story]:
    """Return all stories, the variants of each one after the other."""
    made = []
    for name, (title, sections, questions) in _TEXTS.items():
        for number, facts in enumerate(_FACTS[name], start=1):
            made.append(
                Story(
                    f"{name}-{number}",
                    title.format(**facts),
                    tuple((heading, tuple(_filled(block, facts) for block in blocks)) for heading, blocks in sections),
                    tuple(Question(ask.format(**facts), say.format(**facts), under) for ask, say, under in questions),
                )
            )
    return made
