"""Italian as it is read out."""

from __future__ import annotations

import re

from wyoming_tts.text import numbers, romance
from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.romance_grammar import (
    Currency,
    Gender,
    Grammar,
    Noun,
    Power,
    compass,
    listed,
    nouns,
    prefixed,
    wordset,
)

_PREFIXES = {
    **{
        "k": "chilo",
        "M": "mega",
        "G": "giga",
        "T": "tera",
        "m": "milli",
        "μ": "micro",
        "n": "nano",
        "c": "centi",
    },
    **{"h": "etto", "d": "deci", "P": "peta", "E": "exa", "Z": "zetta", "Y": "yotta", "K": "kilo"},
}
_UNITS = prefixed(
    """
    W | watt | watt | m | mkMGT-
    Wh | wattora | wattora | m | mkMGT-
    VA | voltampere | voltampere | m | mk-
    Ah | amperora | amperora | m | m-
    var | var | var | m | mk-
    varh | varora | varora | m | k-
    J | joule | joule | m | kMG-
    cal | caloria | calorie | f | kMG-
    A | ampere | ampere | m | μmk-
    V | volt | volt | m | μmkM-
    Ω | ohm | ohm | m | mkM-
    F | farad | farad | m | μn-
    Hz | hertz | hertz | m | mkMG-
    Pa | pascal | pascal | m | mhkM-
    bar | bar | bar | m | cm-
    l, L | litro | litri | m | mcdhμ-
    m | metro | metri | m | mcdkμn-
    g | grammo | grammi | m | mkhμn-
    s | secondo | secondi | m | mμn-
    S | siemens | siemens | m | μm-
    mol | mole | moli | f | mμ-
    Bq | becquerel | becquerel | m | kM-
    Ci | curie | curie | m | mμ-
    Sv | sievert | sievert | m | mμn-
    bit | bit | bit | m | MGTK-
    B | byte | byte | m | MGTPEZYK-
    lm | lumen | lumen | m | k-
    """,
    _PREFIXES,
) | nouns(
    """
    kB | kilobyte | kilobyte | m
    kbit | kilobit | kilobit | m
    pCi | picocurie | picocurie | m
    KiB | kibibyte | kibibyte | m
    MiB | mebibyte | mebibyte | m
    GiB | gibibyte | gibibyte | m
    TiB | tebibyte | tebibyte | m
    PiB | pebibyte | pebibyte | m
    EiB | exbibyte | exbibyte | m
    ZiB | zebibyte | zebibyte | m
    YiB | yobibyte | yobibyte | m
    Kbps, kbps | kilobit al secondo | kilobit al secondo | m
    Mbps | megabit al secondo | megabit al secondo | m
    Gbps | gigabit al secondo | gigabit al secondo | m
    in | pollice | pollici | m
    ft | piede | piedi | m
    yd | iarda | iarde | f
    mi | miglio | miglia | m
    nmi | miglio nautico | miglia nautiche | m
    mph | miglio all'ora | miglia all'ora | m
    kn | nodo | nodi | m
    kph | chilometro all'ora | chilometri all'ora | m
    Beaufort | Beaufort | Beaufort | m
    ha | ettaro | ettari | m
    ac | acro | acri | m
    oz | oncia | once | f
    lb, lbs | libbra | libbre | f
    st | stone | stone | m
    t | tonnellata | tonnellate | f
    q | quintale | quintali | m
    gal | gallone | galloni | m
    fl. oz., fl. oz, fl oz | oncia liquida | once liquide | f
    CCF | centinaio di piedi cubi | centinaia di piedi cubi | m
    MCF | migliaio di piedi cubi | migliaia di piedi cubi | m
    mi² | miglio quadrato | miglia quadrate | m
    thm | termia | termie | f
    BTU | BTU | BTU | f
    h·ft² | ora e piede quadrato | ore e piedi quadrati | f
    °C, ° C, ºC, º C, ℃ | grado Celsius | gradi Celsius | m
    °F, ° F, ºF, º F, ℉ | grado Fahrenheit | gradi Fahrenheit | m
    ° | grado | gradi | m
    K | kelvin | kelvin | m
    min, min., mins | minuto | minuti | m
    sec, sec. | secondo | secondi | m
    h, hr, hrs | ora | ore | f
    d, gg | giorno | giorni | m
    w | settimana | settimane | f
    y | anno | anni | m
    mmHg | millimetro di mercurio | millimetri di mercurio | m
    inHg | pollice di mercurio | pollici di mercurio | m
    inH₂O, inH2O | pollice d'acqua | pollici d'acqua | m
    psi | libbra per pollice quadrato | libbre per pollice quadrato | f
    atm | atmosfera | atmosfere | f
    dB | decibel | decibel | m
    dBA | decibel A | decibel A | m
    dBm | decibel milliwatt | decibel milliwatt | m
    lx | lux | lux | m
    ppm | parte per milione | parti per milione | f
    ppb | parte per miliardo | parti per miliardo | f
    % | per cento | per cento |
    ‰ | per mille | per mille |
    rpm | giro al minuto | giri al minuto | m
    px | pixel | pixel | m
    UV index | indice UV | indice UV |
    """
)

_FEMININE = wordset(
    """
    luce notte chiave parete classe fase rete voce parte serie mano radio foto moto auto bici crisi
    analisi tesi base sede torre nave neve carne gente morte mente legge pace croce radice pelle sete
    fonte fronte corrente superficie specie app email e-mail tv lavatrice lavastoviglie chat password
    webcam nube valle febbre fame madre moglie tigre volpe arte estate quiete frase
    """
)
_MASCULINE = wordset(
    """
    problema sistema programma clima tema pianeta diploma schema diagramma telegramma panorama dramma
    fantasma pigiama aroma dilema teorema sintomo cinema papa poeta sofà karma delta plasma prisma
    enigma poema emblema chilogramma caffè tè martedì lunedì mercoledì giovedì venerdì
    """
)
_FEMININE_ENDING = re.compile(r"(?:zione|sione|gione|trice|tudine|ine|tà|tù|a)$")
_MASCULINE_ENDING = re.compile(r"(?:termine|ordine|cardine|argine|margine|fine|crimine|pettine|nome)$")
_NOT_NOUNS = wordset(
    """
    a ad al allo alla ai agli alle all con contro da dal dalla dallo dai dagli dalle di del dello della
    dei degli delle in nel nello nella nei negli nelle su sul sulla sui sulle per tra fra e ed o od ma
    né se che chi come quando dove mentre però perché quindi anche è sono era erano fu sarà saranno sta
    stanno stava ha hanno ho hai abbiamo aveva può possono deve devono va vanno si ci vi mi ti lo la li
    le il i gli un uno una ne più meno molto già non sì poi prima dopo oggi ieri domani qui lì così
    sempre mai questo questa questi queste quello quella ogni tutto tutta tutti tutte mila acceso accesa
    accesi accese spento spenta spente spenti aperto aperta chiuso chiusa disponibile attivo attiva
    attivato attivata rimane rimangono resta restano funziona bloccato bloccata collegato virgola punto
    celsius fahrenheit circa maggiore minore uguale x am pm vs necessita segna misura indica
    """
)
_IMPURE = re.compile(r"(?i)s[bcdfglmnpqrtvz]|z|gn|ps|pn|x|y[aeou]|i[aeou]")
_VOWEL = re.compile(r"(?i)h?(?:[aeouàèéìòù]|i(?![aeou]))")


def _gender(word: str, number: int) -> Gender:
    lower = word.lower()
    if lower in _NOT_NOUNS or len(lower) < 2:
        return ""
    if number != 1:
        return "f" if lower.endswith("e") or f"{lower[:-1]}e" in _FEMININE else "m"
    if lower in _MASCULINE or _MASCULINE_ENDING.search(lower):
        return "m"
    return "f" if lower in _FEMININE or _FEMININE_ENDING.search(lower) else "m"


def _counted(said: str, noun: str) -> str:
    head, _, last = said.rpartition(" ")
    head = f"{head} " if head else ""
    if last == "una" and _VOWEL.match(noun):
        return f"{head}un'"
    if last == "un" and _IMPURE.match(noun):
        return f"{head}uno "
    return f"{said} "


def _fix(said: str, number: int, gender: Gender) -> str:
    """Only one agrees ("ventuno gradi", "ventuno finestre"); "tré" has its accent at the end alone."""
    said = said if abs(number) == 1 else numbers.spell(number, "it", "spellout-numbering")
    return re.sub(r"tré(?=\w)", "tre", said)


_MONTHS = (
    *("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio"),
    *("agosto", "settembre", "ottobre", "novembre", "dicembre"),
)


def _singular(noun: str) -> str:
    """Of what is measured in halves: "ore", "tazze", "litri"."""
    if noun.endswith("e"):
        return noun[:-1] + "a"
    return noun[:-1] + "o" if noun.endswith("i") else noun


def _cardinal(number: int) -> str:
    return numbers.spell(number, "it", "spellout-numbering")


def _date(day: int, month: int, year: int | None) -> str:
    said = f"{'primo' if day == 1 else _cardinal(day)} {_MONTHS[month - 1]}"
    return said if year is None else f"{said} {_cardinal(year)}"


_BEFORE_ONE = {"alle": "all'", "dalle": "dall'", "delle": "dell'", "le": "l'", "per le": "per l'"}


def _clock(hour: int, minute: int, cue: str, bare: bool) -> str:
    if hour == 1 and cue.strip().lower() in _BEFORE_ONE:
        said = _BEFORE_ONE[cue.strip().lower()] + "una"
        said = said[0].upper() + said[1:] if cue[0].isupper() else said
    elif hour in (0, 24) and minute == 0 and cue.strip().lower() in ("", "alle", "dalle"):
        said = {"": "", "alle": "a ", "dalle": "da "}[cue.strip().lower()] + "mezzanotte"
    else:
        said = cue + ("una" if hour == 1 else _cardinal(hour))
    return f"{said} e {_cardinal(minute)}" if minute else said


def _day_part(hour: int) -> str:
    if hour < 5:
        return "di notte"
    return "di mattina" if hour < 12 else "del pomeriggio" if hour < 18 else "di sera"


def _ordinal(number: int, gender: Gender, noun: bool) -> str:
    return numbers.ordinal(number, "it", feminine=gender == "f")


def _denominator(below: int, above: int) -> str:
    if below == 2:
        return "mezzo" if above == 1 else "mezzi"
    word = numbers.ordinal(below, "it")
    return word if above == 1 else word[:-1] + "i"


_QUEENS = ("Elisabetta", "Maria", "Caterina", "Cristina", "Margherita", "Maria Teresa", "Anna", "Giovanna")


def _regnal(name: str, number: int) -> str:
    return numbers.ordinal(number, "it", feminine=name in _QUEENS)


def _century(number: int) -> str:
    return numbers.ordinal(number, "it")


def _currency(one: str, many: str, cent: str, cents: str, gender: Gender = "m") -> Currency:
    return Currency(Noun(one, many, gender), Noun(cent, cents, "m"))


_EURO = _currency("euro", "euro", "centesimo", "centesimi")
_DOLLAR = _currency("dollaro", "dollari", "centesimo", "centesimi")
_POUND = _currency("sterlina", "sterline", "penny", "pence", "f")
_YEN = _currency("yen", "yen", "sen", "sen")
_FRANC = _currency("franco svizzero", "franchi svizzeri", "centesimo", "centesimi")
_REAL = _currency("real", "real", "centesimo", "centesimi")
_CENT = _currency("centesimo", "centesimi", "", "")
_PER = {
    **{
        "s": "al secondo",
        "min": "al minuto",
        "h": "all'ora",
        "d": "al giorno",
        "L": "al litro",
        "l": "al litro",
    },
    **{"mese": "al mese", "giorno": "al giorno", "anno": "all'anno", "ora": "all'ora", "litro": "al litro"},
    **{"settimana": "alla settimana", "persona": "a persona", "minuto": "al minuto"},
}
_MONTH_PATTERN = "|".join((*_MONTHS, *listed("gen feb mar apr mag giu lug ago sett set ott nov dic")))
_FIRST = rf"['’]1[°º]?(?= (?:{'|'.join(_MONTHS)})\b)"
_FIRST_IN_FIGURES = r"['’](?=1/(?:1[0-2]|0?[1-9])(?!\d))"

GRAMMAR = Grammar(
    language="it",
    sums={
        **{
            "+": "più",
            "-": "meno",
            "×": "per",
            "÷": "diviso",
            "=": "uguale a",
            "<": "meno di",
            ">": "più di",
        },
        **{
            "≤": "al massimo",
            "≥": "almeno",
            "±": "più o meno",
            "~": "circa",
            "&": "e",
            "#": "numero",
            ",": "virgola",
        },
    },
    address={
        **{
            ".": "punto",
            "/": "barra",
            ":": "due punti",
            "@": "chiocciola",
            "_": "trattino basso",
            "-": "trattino",
        },
        **{
            "?": "punto interrogativo",
            "#": "cancelletto",
            "%": "per cento",
            "&": "e commerciale",
            "=": "uguale",
        },
        **{"+": "più", "~": "tilde"},
    },
    words={
        **{"²": "al quadrato", "³": "al cubo", "^": "elevato a"},
        **{
            "and": "e",
            "to": "a",
            "between": "tra|fra",
            "between_and": "e",
            "of": "di",
            "per": "per",
            "hundred": "cento",
        },
        **{
            "version": "versione",
            "half_m": "mezzo",
            "half_f": "mezza",
            "and_half_m": "mezzo",
            "and_half_f": "mezza",
        },
        **{
            "each": "per|al|ogni|il|un",
            "of_year": "",
            "at_time": "alle ",
            "from_time": "dalle ",
            "to_time": "alle ",
        },
    },
    gender=_gender,
    labels=wordset(
        """
        canale zona piano porta luce lampada camera stanza capitolo sensore numero pagina versione sala
        livello modo linea piazza volo binario via fase parte stagione episodio scena gruppo fila tema
        opzione passo articolo area presa interruttore telecamera altoparlante radio tv televisore schermo
        pulsante tipo classe categoria unità dispositivo anno giorno formula lettera finestra tapparella
        garage termostato bagno scenario modalità
        """
    ),
    feminine_before=frozenset(("l", "all", "dall", "dell")),
    counted=_counted,
    fix=_fix,
    singular=_singular,
    units=_UNITS,
    squared=Power("quadrato", "quadrati", "quadrata", "quadrate"),
    cubed=Power("cubo", "cubi", "cuba", "cube"),
    per=lambda symbol, noun: _PER.get(symbol) or f"per {noun.one}",
    before_words=frozenset(("in", "ha", "mi", "y", "st", "d", "A", "var", "gal", "q", "ac")),
    currencies={
        **{
            "€": _EURO,
            "EUR": _EURO,
            "$": _DOLLAR,
            "USD": _DOLLAR,
            "US$": _DOLLAR,
            "£": _POUND,
            "GBP": _POUND,
        },
        **{"¥": _YEN, "JPY": _YEN, "CHF": _FRANC, "R$": _REAL, "BRL": _REAL, "¢": _CENT},
    },
    cents="e",
    magnitudes="milioni|milione|miliardi|miliardo",
    months=_MONTHS,
    month_pattern=_MONTH_PATTERN,
    date=_date,
    date_cue="il|dal|al|del|nel|entro il|giorno|data|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|"
    "domenica",
    clock=_clock,
    clock_cue="(?:(?:(?:al|dal|del)le ore|ore|alle|dalle|delle|per le|le) |(?:all|dall|dell|l)['’])",
    day_parts=_day_part,
    ordinal=_ordinal,
    degree_ordinals="piano|posto|giorno|capitolo|anniversario|anno|classificato|classificata|livello|"
    "premio|turno|"
    f"secolo|elementare|tempo|maggio|grado|{'|'.join(_MONTHS)}",
    denominator=_denominator,
    abbreviations={
        rf"[Ll]{_FIRST_IN_FIGURES}": "il ",
        rf"[Dd]ell{_FIRST_IN_FIGURES}": "del ",
        rf"[Dd]all{_FIRST_IN_FIGURES}": "dal ",
        rf"[Aa]ll{_FIRST_IN_FIGURES}": "al ",
        rf"[Ll]{_FIRST}": "il primo",
        rf"[Dd]ell{_FIRST}": "del primo",
        rf"[Dd]all{_FIRST}": "dal primo",
        rf"[Aa]ll{_FIRST}": "al primo",
        rf"1[°º]?(?= al? \d{{1,2}} (?:{'|'.join(_MONTHS)})\b)": "primo",
        **{
            r"[Ss]ig\.ra\b": "signora",
            r"[Ss]ig\.na\b": "signorina",
            r"[Ss]igg\.": "signori",
            r"[Ss]ig\.": "signor",
        },
        **{
            r"[Dd]ott\.ssa\b": "dottoressa",
            r"[Dd]ott\.": "dottor",
            r"[Dd]r\.ssa\b": "dottoressa",
            r"[Dd]r\.": "dottor",
        },
        **{r"[Pp]rof\.ssa\b": "professoressa", r"[Pp]rof\.": "professor", r"[Ii]ng\.(?= [A-Z])": "ingegner"},
        **{
            r"[Aa]vv\.(?= [A-Z])": "avvocato",
            r"[Aa]rch\.(?= [A-Z])": "architetto",
            r"[Gg]eom\.(?= [A-Z])": "geometra",
        },
        **{r"[Ee]cc\.": "eccetera", r"(?:[Aa]d|[Pp]er|p\.) ?es\.": "ad esempio", r"[Pp]agg\.": "pagine"},
        **{
            r"[Pp]ag\.": "pagina",
            r"[Nn](?:r\.|\.|°|º|\.º|\.°)(?= ?\d) ?": "numero ",
            r"[Tt]el\.": "telefono",
        },
        **{
            r"[Vv]\.le\b": "viale",
            r"[Pp]\.(?:za|zza)\b": "piazza",
            r"[Cc]\.so\b": "corso",
            r"[Cc]ap\.(?= )": "capitolo",
        },
        **{
            r"[Vv]ol\.(?= )": "volume",
            r"[Pp]rob\.(?= )": "probabilità",
            r"[Cc]ell\.(?=:? )": "cellulare",
            r"[Cc]onf\.(?= di )": "confezioni",
            r"[Aa]rt\.(?= )": "articolo",
            r"a\. ?C\.": "avanti Cristo",
            r"ca\.(?= )": "circa",
        },
        **{
            r"d\. ?C\.": "dopo Cristo",
            r"[Tt]emp\.(?= )": "temperatura",
            r"[Mm]ax\.": "massima",
            r"sec\.(?= [IVX])": "secolo",
        },
        **{
            r"[Cc]fr\.": "confronta",
            r"vs\.?(?= )": "contro",
            r"[Gg]ent\.ma\b": "gentilissima",
            r"[Ss]pett\.le\b": "spettabile",
        },
        **{
            r"[Ee]gr\.(?= )": "egregio",
            r"[Ll]un\.?(?=,? \d{1,2}[ /])": "lunedì",
            r"(?<!\d )[Mm]ar\.?(?=,? \d{1,2}[ /])": "martedì",
        },
        **{r"[Mm]er\.?(?=,? \d{1,2}[ /])": "mercoledì", r"[Gg]io\.?(?=,? \d{1,2}[ /])": "giovedì"},
        **{r"[Vv]en\.?(?=,? \d{1,2}[ /])": "venerdì", r"[Ss]ab\.?(?=,? \d{1,2}[ /])": "sabato"},
        **{r"[Dd]om\.?(?=,? \d{1,2}[ /])": "domenica"},
    },
    code_cue="chiama(?:re|te)? il(?= \\d{3}[ \\d]\\d)|telefono|pin|codice|password|volo|cap|"
    "interno|tel|emergenze",
    regnal=_regnal,
    rulers="(?:Giovanni Paolo|Vittorio Emanuele|Carlo Alberto|Maria Teresa|Umberto|Ludovico|Carlo|Luigi|"
    "Filippo|Enrico|Elisabetta|"
    "Giorgio|Edoardo|Pietro|Paolo|Pio|Benedetto|Leone|Giovanni|Guglielmo|Federico|Napoleone|Francesco|"
    "Ferdinando|"
    "Caterina|Gregorio|Innocenzo|Riccardo|Clemente|Alessandro|Nicola|Maria|Cristina|Margherita|Giulio|"
    "Sisto|Ottone|"
    "Ramses|Cosimo|Amedeo|Bonifacio|Urbano|Giuseppe|Felipe|Alfonso)",
    century="secol[oi]",
    century_number=_century,
    roman_labels="capitolo|tomo|volume|parte|atto|scena|sezione|articolo|titolo|allegato|fase|libro|"
    "livello|tipo|episodio|"
    "stagione|canto",
    roman_counted="secolo|guerra mondiale|anniversario|edizione|congresso|giornata|centenario|festival|"
    "concorso|premio|"
    "repubblica|dinastia|legislatura|settimana|maratona|torneo|coppa|arrondissement|municipio|piano|"
    "millennio|liceo",
    compass=compass(
        "vento venti raffiche raffica brezza direzione provenienza esposizione rotta componente mare",
        "NESO nord est sud ovest",
        "nord-est sud-est sud-ovest nord-ovest",
        "nord-nord-est est-nord-est est-sud-est sud-sud-est sud-sud-ovest ovest-sud-ovest ovest-nord-ovest"
        " nord-nord-ovest",
    ),
    scales={
        **{"M": ("milione", "milioni"), "mln": ("milione", "milioni"), "Mln": ("milione", "milioni")},
        **{"mld": ("miliardo", "miliardi"), "Mld": ("miliardo", "miliardi"), "mrd": ("miliardo", "miliardi")},
    },
    lasting="tra|fra|in|per|dura|durata|durata di|mancano|manca|da|circa|oltre|ogni|dopo|di|tempo|totale"
    "|durerà|quasi|più di|meno di|entro|aspetta",
    over="su",
    letters={
        **dict(zip("abcdefghiklm", listed("a bi ci di e effe gi acca i cappa elle emme"), strict=True)),
        **dict(zip("nopqrstuv", listed("enne o pi qu erre esse ti u vu"), strict=True)),
        **{"j": "i lunga", "w": "doppia vu", "x": "ics", "y": "ipsilon", "z": "zeta"},
    },
)
"""What the rules need to know of Italian."""


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out; see `normalise.Normaliser`."""
    return romance.normalise(text, GRAMMAR)


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; see `normalise.Normaliser`."""
    return romance.say_as(text, kind, form, GRAMMAR)
