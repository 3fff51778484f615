"""Spanish as it is read out."""

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
        "k": "kilo",
        "M": "mega",
        "G": "giga",
        "T": "tera",
        "m": "mili",
        "μ": "micro",
        "n": "nano",
        "c": "centi",
    },
    **{"h": "hecto", "d": "deci", "P": "peta", "E": "exa", "Z": "zetta", "Y": "yotta"},
}
_UNITS = prefixed(
    """
    W | vatio | vatios | m | mkMGT-
    Wh | vatio hora | vatios hora | m | mkMGT-
    VA | voltiamperio | voltiamperios | m | mk-
    Ah | amperio hora | amperios hora | m | m-
    var | var | vares | m | mk-
    varh | var hora | vares hora | m | k-
    J | julio | julios | m | kMG-
    cal | caloría | calorías | f | kMG-
    A | amperio | amperios | m | μmk-
    V | voltio | voltios | m | μmkM-
    Ω | ohmio | ohmios | m | mkM-
    F | faradio | faradios | m | μn-
    Hz | hercio | hercios | m | mkMG-
    Pa | pascal | pascales | m | mhkM-
    bar | bar | bares | m | cm-
    l, L | litro | litros | m | mcdhμ-
    g | gramo | gramos | m | kmμn-
    s | segundo | segundos | m | mμn-
    S | siemens | siemens | m | μm-
    mol | mol | moles | m | mμ-
    Bq | becquerel | becquereles | m | kM-
    Ci | curio | curios | m | mμ-
    Sv | sievert | sieverts | m | mμn-
    bit | bit | bits | m | kMGT-
    B | byte | bytes | m | kMGTPEZY-
    lm | lumen | lúmenes | m | k-
    """,
    _PREFIXES,
) | nouns(
    """
    pCi | picocurio | picocurios | m
    KiB | kibibyte | kibibytes | m
    MiB | mebibyte | mebibytes | m
    GiB | gibibyte | gibibytes | m
    TiB | tebibyte | tebibytes | m
    PiB | pebibyte | pebibytes | m
    EiB | exbibyte | exbibytes | m
    ZiB | zebibyte | zebibytes | m
    YiB | yobibyte | yobibytes | m
    Kbps, kbps | kilobit por segundo | kilobits por segundo | m
    Mbps | megabit por segundo | megabits por segundo | m
    Gbps | gigabit por segundo | gigabits por segundo | m
    m | metro | metros | m
    km | kilómetro | kilómetros | m
    cm | centímetro | centímetros | m
    mm | milímetro | milímetros | m
    μm | micrómetro | micrómetros | m
    nm | nanómetro | nanómetros | m
    in | pulgada | pulgadas | f
    ft | pie | pies | m
    yd | yarda | yardas | f
    mi | milla | millas | f
    nmi | milla náutica | millas náuticas | f
    mph | milla por hora | millas por hora | f
    kn | nudo | nudos | m
    kph | kilómetro por hora | kilómetros por hora | m
    Beaufort | Beaufort | Beaufort | m
    ha | hectárea | hectáreas | f
    ac | acre | acres | m
    oz | onza | onzas | f
    lb, lbs | libra | libras | f
    st | stone | stones | f
    t | tonelada | toneladas | f
    gal | galón | galones | m
    fl. oz., fl. oz, fl oz | onza líquida | onzas líquidas | f
    CCF | centena de pies cúbicos | centenas de pies cúbicos | f
    MCF | millar de pies cúbicos | millares de pies cúbicos | m
    thm | termia | termias | f
    BTU | BTU | BTU | f
    h·ft² | hora y pie cuadrado | horas y pies cuadrados | f
    °C, ° C, ºC, º C, ℃ | grado Celsius | grados Celsius | m
    °F, ° F, ºF, º F, ℉ | grado Fahrenheit | grados Fahrenheit | m
    ° | grado | grados | m
    K | kelvin | kelvins | m
    min, min., mins | minuto | minutos | m
    seg, seg. | segundo | segundos | m
    h, hs, hrs, hr | hora | horas | f
    d | día | días | m
    w | semana | semanas | f
    y | año | años | m
    mmHg | milímetro de mercurio | milímetros de mercurio | m
    inHg | pulgada de mercurio | pulgadas de mercurio | f
    inH₂O, inH2O | pulgada de agua | pulgadas de agua | f
    psi | libra por pulgada cuadrada | libras por pulgada cuadrada | f
    atm | atmósfera | atmósferas | f
    dB | decibelio | decibelios | m
    dBA | decibelio A | decibelios A | m
    dBm | decibelio milivatio | decibelios milivatio | m
    lx | lux | lux | m
    ppm | parte por millón | partes por millón | f
    ppb | parte por mil millones | partes por mil millones | f
    % | por ciento | por ciento |
    ‰ | por mil | por mil |
    rpm | revolución por minuto | revoluciones por minuto | f
    px | píxel | píxeles | m
    UV index | índice UV | índice UV |
    """
)

_FEMININE = wordset(
    """
    luz noche tarde clase llave calle pared red vez mujer flor imagen orden señal nube leche carne gente
    serie sede base fase frase nave nieve sangre muerte suerte mente ley voz paz cruz nuez raíz tos sal
    miel piel cárcel sed labor parte torre mano foto moto radio tesis crisis dosis análisis fuente
    corriente cumbre costumbre lumbre superficie especie hélice cláusula variable entrante app sartén
    web tele patente lente gripe hambre sirviente medianoche memoria televisión
    """
)
_MASCULINE = wordset(
    """
    día mapa sofá tranvía planeta poeta problema sistema programa clima idioma tema lema esquema
    dálmata diagrama telegrama kilograma panorama drama fantasma pijama aroma dilema teorema síntoma cromosoma
    carisma estigma enigma diploma axioma emblema poema prisma plasma gorila yoga delta karma
    """
)
_FEMININE_ENDING = re.compile(
    r"(?:ci[oó]n|si[oó]n|gi[oó]n|[dt]ad|tud|umbre|triz)$|(?:[csg]iones|[dt]ades|tudes|umbres|trices)$|as?$"
)
_PEOPLE = re.compile(r"(?<!\b[lpv])(?<!rev)(?<!trev)istas?$")
_NOT_NOUNS = wordset(
    """
    a al ante bajo con contra de del desde durante en entre hacia hasta para por según sin sobre tras y
    e o u ni que si pero sino porque como cuando donde mientras aunque pues es son era eran fue fueron
    será serán está están estaba estaban hay había ha han he has hemos tiene tienen puede pueden debe
    deben va van ve se me te le les lo la los las el un una unos unas mi mis tu tus su sus nos os más
    menos muy ya no sí también tampoco además entonces después antes luego ahora hoy ayer mañana aquí
    allí así siempre nunca esto eso este esta estos estas ese esa esos esas cada todo toda todos todas
    tres dos seis queda quedan necesita funciona sigue encendida encendido apagada apagado abierta
    abierto cerrada cerrado disponible conectada conectado desconectado desconectada respecto hubo tengo
    tienes quiero puedo podemos estás estamos somos eres celsius fahrenheit am pm vs punto coma menor
    mayor igual x grande alrededor aproximadamente exactamente juntos juntas
    """
)
_MASCULINE_ARTICLE = wordset(
    """
    agua aula área arma alma ala águila ancla ave hacha haba hambre asa ánfora
    """
)


def _singulars(word: str) -> tuple[str, ...]:
    if word.endswith("ces"):
        return (word, word[:-3] + "z")
    if word.endswith("es"):
        return (word, word[:-1], word[:-2])
    return (word, word[:-1]) if word.endswith("s") else (word,)


def _gender(word: str, number: int) -> Gender:
    lower = word.lower()
    if lower in _NOT_NOUNS or (len(lower) < 2) or (number != 1 and not lower.endswith("s")):
        return ""
    singulars = _singulars(lower)
    if any(single in _MASCULINE for single in singulars):
        return "m"
    if _PEOPLE.search(lower):
        return "m"
    if any(single in _FEMININE for single in singulars) or _FEMININE_ENDING.search(lower):
        return "f"
    return "m"


def _counted(said: str, noun: str) -> str:
    if said == "una" and noun.lower() in _MASCULINE_ARTICLE:
        said = "un"
    return f"{said} "


def _fix(said: str, number: int, gender: Gender) -> str:
    """The data has "doscientos mil casas"."""
    if gender != "f" or number < 1000:
        return said
    millions, rest = divmod(number, 10**6)
    if rest < 1000:
        return said
    head = f"{numbers.spell(millions * 10**6, 'es', 'spellout-cardinal-masculine')} " if millions else ""
    thousands, units = divmod(rest, 1000)
    mil = "mil" if thousands == 1 else f"{numbers.spell(thousands, 'es', 'spellout-cardinal-feminine')} mil"
    if thousands % 10 == 1 and thousands % 100 != 11:
        mil = mil.replace("una mil", "un mil").replace("veintiun mil", "veintiún mil")
    tail = f" {numbers.spell(units, 'es', 'spellout-cardinal-feminine')}" if units else ""
    return head + mil + tail


_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio"),
    *("agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)

_WEEKDAYS = listed("lunes martes miércoles jueves viernes sábado domingo")


def _date(day: int, month: int, year: int | None) -> str:
    number = numbers.spell(day, "es", "spellout-numbering")
    said = f"{number} de {_MONTHS[month - 1]}"
    return said if year is None else f"{said} de {numbers.spell(year, 'es', 'spellout-numbering')}"


def _clock(hour: int, minute: int, cue: str, bare: bool) -> str:
    if hour == 1:
        cue = re.sub(r"(?i)\blas $", "la ", cue)
    said = numbers.spell(hour, "es", "spellout-cardinal-feminine")
    if minute == 0:
        hours = "" if bare or (cue and hour) else " hora" if hour == 1 else " horas"
        return f"{cue}{said}{hours}"
    minutes = numbers.spell(minute, "es", "spellout-numbering")
    if minute < 10 or (minute < 30 and hour <= 12):
        return f"{cue}{said} y {'cuarto' if minute == 15 and 0 < hour <= 12 else minutes}"
    if minute == 30 and 0 < hour <= 12:
        return f"{cue}{said} y media"
    return f"{cue}{said} {minutes}"


def _day_part(hour: int) -> str:
    if hour < 6:
        return "de la madrugada" if hour else "de la noche"
    return "de la mañana" if hour < 12 else "de la tarde" if hour < 20 else "de la noche"


def _ordinal(number: int, gender: Gender, noun: bool) -> str:
    if gender == "f":
        return numbers.ordinal(number, "es", feminine=True)
    if noun and number < numbers.LARGEST:
        return numbers.spell(number, "es", "spellout-ordinal-masculine-adjective")
    return numbers.ordinal(number, "es")


_DENOMINATORS = {
    2: "medio",
    3: "tercio",
    4: "cuarto",
    11: "onceavo",
    12: "doceavo",
    16: "dieciseisavo",
    20: "veinteavo",
}


def _denominator(below: int, above: int) -> str:
    word = _DENOMINATORS.get(below) or ("centésimo" if below == 100 else numbers.ordinal(below, "es"))
    return word if above == 1 else f"{word}s"


def _regnal(name: str, number: int) -> str:
    if number > 10:
        return numbers.spell(number, "es", "spellout-numbering")
    feminine = name.split()[-1] in ("Isabel",) or name.split()[-1].endswith("a")
    return numbers.ordinal(number, "es", feminine=feminine)


def _century(number: int) -> str:
    return numbers.ordinal(number, "es") if number < 10 else numbers.spell(number, "es", "spellout-numbering")


def _currency(
    one: str, many: str, cent: str, cents: str, gender: Gender = "m", cent_gender: Gender = "m"
) -> Currency:
    return Currency(Noun(one, many, gender), Noun(cent, cents, cent_gender))


_EURO = _currency("euro", "euros", "céntimo", "céntimos")
_DOLLAR = _currency("dólar", "dólares", "centavo", "centavos")
_POUND = _currency("libra", "libras", "penique", "peniques", "f")
_YEN = _currency("yen", "yenes", "sen", "sen")
_REAL = _currency("real", "reales", "centavo", "centavos")
_PESO = _currency("peso", "pesos", "centavo", "centavos")
_FRANC = _currency("franco suizo", "francos suizos", "céntimo", "céntimos")
_CENT = _currency("céntimo", "céntimos", "", "")

GRAMMAR = Grammar(
    language="es",
    sums={
        **{
            "+": "más",
            "-": "menos",
            "×": "por",
            "÷": "entre",
            "=": "igual a",
            "<": "menos de",
            ">": "más de",
        },
        **{"≤": "como máximo", "≥": "como mínimo", "±": "más menos", "~": "aproximadamente", "&": "y"},
        **{"#": "número", ",": "coma"},
    },
    address={
        **{".": "punto", "/": "barra", ":": "dos puntos", "@": "arroba", "_": "guion bajo", "-": "guion"},
        **{
            "?": "interrogación",
            "#": "almohadilla",
            "%": "por ciento",
            "&": "ampersand",
            "=": "igual",
            "+": "más",
        },
        **{"~": "virgulilla"},
    },
    words={
        **{"²": "al cuadrado", "³": "al cubo", "^": "elevado a"},
        **{
            "and": "y",
            "to": "a",
            "between": "entre",
            "between_and": "y",
            "of": "de",
            "per": "por",
            "hundred": "cien",
        },
        **{
            "version": "versión",
            "half_m": "medio",
            "half_f": "media",
            "and_half_m": "medio",
            "and_half_f": "media",
        },
        **{"each": "por|cada|el|un|del", "of_year": "de ", "at_time": "a las "},
    },
    gender=_gender,
    labels=wordset(
        """
        canal zona planta puerta luz lámpara habitación capítulo sensor número página versión sala piso
        nivel modo línea plaza vuelo andén vía ruta fase parte temporada episodio escena grupo fila tema
        opción paso apartado artículo área dormitorio cuarto baño enchufe interruptor cámara altavoz radio
        tv televisor pantalla botón puerto tipo clase categoría unidad dispositivo año años día fórmula
        letra ventana persiana garaje termostato
        """
    ),
    feminine_before=wordset(
        """
        la las una unas
        """
    ),
    counted=_counted,
    fix=_fix,
    units=_UNITS,
    squared=Power("cuadrado", "cuadrados", "cuadrada", "cuadradas"),
    cubed=Power("cúbico", "cúbicos", "cúbica", "cúbicas"),
    per=lambda symbol, noun: f"por {noun.one}",
    before_words=frozenset(("in", "ha", "mi", "y", "st", "d", "A")),
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
        **{
            "¥": _YEN,
            "JPY": _YEN,
            "R$": _REAL,
            "BRL": _REAL,
            "MXN": _PESO,
            "ARS": _PESO,
            "COP": _PESO,
            "CLP": _PESO,
        },
        **{"CHF": _FRANC, "¢": _CENT},
    },
    cents="con",
    magnitudes="mil millones|millones|millón|billones|billón",
    months=_MONTHS,
    month_pattern="enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|"
    "noviembre|diciembre"
    "|ene|feb|mar|abr|may|jun|jul|ago|sept|sep|set|oct|nov|dic",
    date=_date,
    date_cue="el|del|al|día|fecha|lunes|martes|miércoles|jueves|viernes|sábado|domingo|hasta|desde",
    clock=_clock,
    clock_cue="(?:las|la) ",
    day_parts=_day_part,
    ordinal=_ordinal,
    degree_ordinals="piso|lugar|puesto|planta|día|año|capítulo|aniversario|grado|curso|premio",
    denominator=_denominator,
    abbreviations={
        r"[Ss]ra\.": "señora",
        r"[Ss]rta\.": "señorita",
        r"[Ss]res\.": "señores",
        r"[Ss]r\.": "señor",
        r"[Dd]ra\.": "doctora",
        r"[Dd]r\.": "doctor",
        r"D\.ª": "doña",
        r"Dña\.": "doña",
        r"D\.(?= [A-ZÁÉÍÓÚ])": "don",
        r"[Pp]rofa\.": "profesora",
        r"[Pp]rof\.": "profesor",
        r"(?:Uds|Vds)\.": "ustedes",
        r"(?:Ud|Vd)\.": "usted",
        r"[Ii]ng\.(?= [A-Z])": "ingeniero",
        r"[Ll]ic\.(?= [A-Z])": "licenciado",
        r"[Aa]v(?:da|d)?\.(?= )|[Aa]vda(?= )": "avenida",
        r"[Pp]za\.": "plaza",
        r"[Cc]tra\.": "carretera",
        r"[Cc]/ ?(?=[A-ZÁÉÍÓÚÑ])": "calle ",
        r"[Pp]ágs\.": "páginas",
        r"[Pp]ágs?\.": "página",
        r"[Nn](?:úm\.|\.? ?º|°)(?= ?\d) ?": "número ",
        r"[Nn]úms\.": "números",
        r"[Tt](?:el|eléf|elf|fno)\.": "teléfono",
        r"etc\.": "etcétera",
        r"[Pp](?:or|\.) ?ej\.": "por ejemplo",
        r"izda\.|izq\.": "izquierda",
        r"dcha\.": "derecha",
        r"ss\.(?= [IVX])": "siglos",
        r"s\.(?= [IVX])": "siglo",
        r"(?<=\b1 )uds?\.": "unidad",
        r"(?<=\d )uds?\.|uds?\.(?= de )": "unidades",
        r"3/4 partes": "tres cuartas partes",
        r"2/3 partes": "dos terceras partes",
        r"[Gg]ral\.(?= )": "general",
        r"s/n\b": "sin número",
        r"exp\.(?= ?\d)": "expediente",
        r"[Rr]ef\.": "referencia",
        r"aprox\.": "aproximadamente",
        r"[Cc]ap\.(?= )": "capítulo",
        r"[Vv]ol\.(?= )": "volumen",
        r"[Aa]rt\.(?= )": "artículo",
        r"EE\. ?UU\.": "Estados Unidos",
        r"EEUU\b": "Estados Unidos",
        r"a\. ?C\.": "antes de Cristo",
        r"d\. ?C\.": "después de Cristo",
        r"[Dd]pto\.": "departamento",
        r"[Hh]ab\.(?= )": "habitación",
        r"[Tt]emp\.(?= )": "temperatura",
        r"[Pp]rob\.(?= )": "probabilidad",
        r"[Mm]áx\.": "máxima",
        r"[Mm]ín\.": "mínima",
        r"[Ss]ta\.(?= [A-Z])": "santa",
        r"[Ss]to\.(?= [A-Z])": "santo",
        r"vs\.?(?= )": "contra",
        **{rf"[{day[0]}{day[0].upper()}]{day[1:3]}\.?(?=,? \d{{1,2}}[ /])": day for day in _WEEKDAYS},
        r"(?<=\d )[Dd]ptos\.": "departamentos",
    },
    code_cue="llama al|llame al|llamar al|marca el|marque el|marcar el|teléfono|pin|código|clave|"
    "contraseña|vuelo|"
    "código postal|extensión|tel|emergencias",
    regnal=_regnal,
    rulers="(?:Juan Pablo|Juan Carlos|Felipe|Alfonso|Carlos|Luis|Fernando|Enrique|Isabel|Jorge|Eduardo|"
    "Pedro|Pablo|Pío|"
    "Benedicto|León|Juan|Guillermo|Federico|Napoleón|Jaime|Sancho|Ramiro|Catalina|Gregorio|Francisco|"
    "Inocencio|Ricardo|"
    "Ramsés|Clemente|Alejandro|Nicolás)",
    century="siglos?",
    century_number=_century,
    roman_labels="capítulo|tomo|volumen|parte|acto|escena|sección|artículo|título|anexo|fase|libro|"
    "nivel|tipo|grado|"
    "episodio|temporada|guerra mundial",
    roman_counted="guerra mundial|aniversario|edición|congreso|jornadas?|centenario|festival|concurso|"
    "premio|república|"
    "cumbre|encuentro|feria|dinastía|legislatura|semana|maratón|torneo|copa|gala",
    compass=compass(
        "vientos? rachas? brisas? componente dirección rumbo orientación procedencia oleaje",
        "NESO norte este sur oeste",
        "noreste sureste suroeste noroeste",
        "nornoreste estenoreste estesureste sursureste sursuroeste oestesuroeste oestenoroeste nornoroeste",
    ),
    scales={"M": ("millón", "millones"), "MM": ("millón", "millones")},
    lasting="cada|en|dentro de|durante|dur[aeó]|durará|tarda|tardará|tardó|quedan?|faltan?|hace|tras|unas"
    "|casi|duración|duración de|tiempo|película de|viaje de|total de|llevas?|más de|menos de|cerca de|espera",
    over="sobre",
    letters={
        **dict(
            zip(
                "abcdefghijklm",
                listed("a be ce de e efe ge hache i jota ka ele eme"),
                strict=True,
            )
        ),
        **dict(zip("nñopqrstuv", listed("ene eñe o pe cu erre ese te u uve"), strict=True)),
        **{"w": "uve doble", "x": "equis", "y": "i griega", "z": "zeta"},
    },
)
"""What the rules need to know of Spanish."""


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out; see `normalise.Normaliser`."""
    return romance.normalise(text, GRAMMAR)


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; see `normalise.Normaliser`."""
    return romance.say_as(text, kind, form, GRAMMAR)
