"""Portuguese as it is read out in Brazil."""

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
        "k": "quilo",
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
    W | watt | watts | m | mkMGT-
    Wh | watt-hora | watts-hora | m | mkMGT-
    VA | volt-ampere | volt-amperes | m | mk-
    Ah | ampere-hora | amperes-hora | m | m-
    var | var | vars | m | mk-
    varh | var-hora | vars-hora | m | k-
    J | joule | joules | m | kMG-
    cal | caloria | calorias | f | kMG-
    A | ampere | amperes | m | μmk-
    V | volt | volts | m | μmkM-
    Ω | ohm | ohms | m | mkM-
    F | farad | farads | m | μn-
    Hz | hertz | hertz | m | mkMG-
    Pa | pascal | pascais | m | mhkM-
    bar | bar | bars | m | cm-
    l, L | litro | litros | m | mcdhμ-
    g | grama | gramas | m | mkμn-
    s | segundo | segundos | m | mn-
    S | siemens | siemens | m | m-
    mol | mol | mols | m | mμ-
    Bq | becquerel | becquerels | m | kM-
    Ci | curie | curies | m | mμ-
    Sv | sievert | sieverts | m | mμn-
    bit | bit | bits | m | kMGT-
    B | byte | bytes | m | kMGTPEZY-
    lm | lúmen | lúmens | m | k-
    """,
    _PREFIXES,
) | nouns(
    """
    kB | kilobyte | kilobytes | m
    kbit | kilobit | kilobits | m
    μs | microssegundo | microssegundos | m
    ms | milissegundo | milissegundos | m
    ns | nanossegundo | nanossegundos | m
    μS | microsiemens | microsiemens | m
    pCi | picocurie | picocuries | m
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
    km | quilômetro | quilômetros | m
    cm | centímetro | centímetros | m
    mm | milímetro | milímetros | m
    μm | micrômetro | micrômetros | m
    nm | nanômetro | nanômetros | m
    in | polegada | polegadas | f
    ft | pé | pés | m
    yd | jarda | jardas | f
    mi | milha | milhas | f
    nmi | milha náutica | milhas náuticas | f
    mph | milha por hora | milhas por hora | f
    kn | nó | nós | m
    kph | quilômetro por hora | quilômetros por hora | m
    Beaufort | Beaufort | Beaufort | m
    ha | hectare | hectares | m
    ac | acre | acres | m
    oz | onça | onças | f
    lb, lbs | libra | libras | f
    st | stone | stones | f
    t | tonelada | toneladas | f
    gal | galão | galões | m
    fl. oz., fl. oz, fl oz | onça líquida | onças líquidas | f
    CCF | centena de pés cúbicos | centenas de pés cúbicos | f
    MCF | milhar de pés cúbicos | milhares de pés cúbicos | m
    thm | termia | termias | f
    BTU | BTU | BTUs | m
    h·ft² | hora e pé quadrado | horas e pés quadrados | f
    °C, ° C, ºC, º C, ℃ | grau Celsius | graus Celsius | m
    °F, ° F, ºF, º F, ℉ | grau Fahrenheit | graus Fahrenheit | m
    ° | grau | graus | m
    K | kelvin | kelvins | m
    min, min., mins | minuto | minutos | m
    seg, seg. | segundo | segundos | m
    h, hs, hr, hrs | hora | horas | f
    d | dia | dias | m
    w | semana | semanas | f
    y | ano | anos | m
    mmHg | milímetro de mercúrio | milímetros de mercúrio | m
    inHg | polegada de mercúrio | polegadas de mercúrio | f
    inH₂O, inH2O | polegada de água | polegadas de água | f
    psi | libra por polegada quadrada | libras por polegada quadrada | f
    atm | atmosfera | atmosferas | f
    dB | decibel | decibéis | m
    dBA | decibel A | decibéis A | m
    dBm | decibel miliwatt | decibéis miliwatt | m
    lx | lux | lux | m
    ppm | parte por milhão | partes por milhão | f
    ppb | parte por bilhão | partes por bilhão | f
    % | por cento | por cento |
    ‰ | por mil | por mil |
    rpm | rotação por minuto | rotações por minuto | f
    px | pixel | pixels | m
    UV index | índice UV | índice UV |
    """
)

_FEMININE = wordset(
    """
    colher semente estante enchente chaminé fé maré catástrofe hipótese síntese equipe gripe arte creche
    ave greve clave matriz atriz foz noz paixão planície calvície patente vertente nascente ponte
    dobradiça luz noite tarde chave parede rede vez voz flor cor dor parte fase base classe série torre
    nuvem ordem árvore fonte gente neve mulher mão foto moto rádio crise análise tese sede nave carne
    morte sorte mente lei paz cruz raiz pele febre fome frente corrente superfície espécie tv app manhã
    maçã irmã lã avó mãe senha lente frase hélice tosse face sirene saúde virtude mensagem viagem imagem
    garagem embalagem
    """
)
_MASCULINE = wordset(
    """
    dia mapa sofá problema sistema programa clima idioma tema lema esquema dálmata diagrama telegrama
    quilograma grama panorama drama fantasma pijama aroma dilema teorema sintoma cromossomo carisma estigma
    enigma diploma axioma emblema poema prisma plasma planeta cometa poeta cinema telefonema trauma karma
    delta coração pão chão fogão botão cartão avião verão portão galpão pulmão caminhão limão feijão cão irmão
    capitão vulcão violão sabão balão grão órgão
    """
)
_FEMININE_ENDING = re.compile(
    r"(?:(?:[çszx]|[gnl]i|id|[eo]st)(?:ão|ões)|[tdz]ades?|tudes?|ices?|ge(?:m|ns)|ã|ãs|as?)$"
)
_PEOPLE = re.compile(r"(?<!\b[lpv])(?<!rev)(?<!trev)istas?$")
_NOT_NOUNS = wordset(
    """
    a à ao aos às as ante até com contra de da do das dos desde durante em na no nas nos entre para pra
    por pela pelo segundo sem sob sobre e ou nem que se mas porque como quando onde enquanto embora pois
    é são era eram foi foram será serão está estão estava estavam há tem têm tinha pode podem deve devem
    vai vão me te lhe lhes o os um uma uns umas meu minha meus minhas seu sua seus suas nosso nossa mais
    menos muito já não sim também então depois antes agora hoje ontem amanhã aqui ali lá assim sempre
    nunca isso isto este esta estes estas esse essa esses essas cada todo toda todos todas três dois
    duas seis ligado ligada desligado desligada aberto aberta fechado fechada aceso acesa apagado
    apagada disponível conectado conectada desconectado desconectada precisa funciona continua
    respectivamente celsius fahrenheit aproximadamente exatamente x am pm vs vírgula ponto maior menor
    igual apenas estamos somos vamos temos faltam restam ficou ficaram marca indica mede ativo ativa
    ativado ativada
    """
)


def _singulars(word: str) -> tuple[str, ...]:
    if word.endswith("ns"):
        return (word, word[:-2] + "m")
    if word.endswith("ões"):
        return (word, word[:-3] + "ão")
    if word.endswith("es"):
        return (word, word[:-1], word[:-2])
    return (word, word[:-1]) if word.endswith("s") else (word,)


def _gender(word: str, number: int) -> Gender:
    lower = word.lower()
    if lower in _NOT_NOUNS or len(lower) < 2 or (number != 1 and not lower.endswith("s")):
        return ""
    singulars = _singulars(lower)
    if any(single in _MASCULINE for single in singulars):
        return "m"
    if _PEOPLE.search(lower):
        return "m"
    if any(single in _FEMININE for single in singulars) or _FEMININE_ENDING.search(lower):
        return "f"
    return "m"


_MONTHS = (
    *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho"),
    *("agosto", "setembro", "outubro", "novembro", "dezembro"),
)


def _cardinal(number: int) -> str:
    return numbers.spell(number, "pt", "spellout-numbering")


def _date(day: int, month: int, year: int | None) -> str:
    said = f"{'primeiro' if day == 1 else _cardinal(day)} de {_MONTHS[month - 1]}"
    return said if year is None else f"{said} de {_cardinal(year)}"


_BEFORE_ONE = {"às": "à", "as": "a", "das": "da", "nas": "na", "pelas": "pela"}


def _clock(hour: int, minute: int, cue: str, bare: bool) -> str:
    said = "meia-noite" if hour == 0 else numbers.spell(hour, "pt", "spellout-cardinal-feminine")
    if hour < 2 and cue.strip().lower() in _BEFORE_ONE:
        one = _BEFORE_ONE[cue.strip().lower()]
        cue = (one.upper() if cue[0].isupper() and len(one) == 1 else one) + " "
    if minute:
        return f"{cue}{said} e {_cardinal(minute)}"
    return f"{cue}{said}" + ("" if bare or not hour else " hora" if hour == 1 else " horas")


def _day_part(hour: int) -> str:
    if hour < 6:
        return "da madrugada" if hour else "da noite"
    return "da manhã" if hour < 12 else "da tarde" if hour < 18 else "da noite"


def _ordinal(number: int, gender: Gender, noun: bool) -> str:
    return numbers.ordinal(number, "pt", feminine=gender == "f")


def _denominator(below: int, above: int) -> str:
    if below in (2, 3):
        word = "meio" if below == 2 else "terço"
    elif below > 10 and below != 100:
        return f"{_cardinal(below)} avos"
    else:
        word = numbers.ordinal(below, "pt")
    return word if above == 1 else f"{word}s"


_QUEENS = ("Isabel", "Elizabeth", "Maria", "Catarina", "Cristina", "Margarida", "Vitória")


def _regnal(name: str, number: int) -> str:
    if number > 10:
        return _cardinal(number)
    return numbers.ordinal(number, "pt", feminine=name in _QUEENS)


def _century(number: int) -> str:
    return numbers.ordinal(number, "pt") if number < 10 else _cardinal(number)


def _currency(one: str, many: str, cent: str, cents: str, gender: Gender = "m") -> Currency:
    return Currency(Noun(one, many, gender), Noun(cent, cents, "m"))


_REAL = _currency("real", "reais", "centavo", "centavos")
_EURO = _currency("euro", "euros", "centavo", "centavos")
_DOLLAR = _currency("dólar", "dólares", "centavo", "centavos")
_POUND = _currency("libra", "libras", "pêni", "pence", "f")
_YEN = _currency("iene", "ienes", "sen", "sen")
_FRANC = _currency("franco suíço", "francos suíços", "centavo", "centavos")
_PESO = _currency("peso", "pesos", "centavo", "centavos")
_CENT = _currency("centavo", "centavos", "", "")

GRAMMAR = Grammar(
    language="pt",
    sums={
        **{"+": "mais", "-": "menos", "×": "vezes", "÷": "dividido por", "=": "é igual a", "<": "menos de"},
        **{
            ">": "mais de",
            "≤": "no máximo",
            "≥": "no mínimo",
            "±": "mais ou menos",
            "~": "aproximadamente",
            "&": "e",
        },
        **{"#": "número", ",": "vírgula"},
    },
    address={
        **{".": "ponto", "/": "barra", ":": "dois pontos", "@": "arroba", "_": "sublinhado", "-": "hífen"},
        **{
            "?": "interrogação",
            "#": "jogo da velha",
            "%": "por cento",
            "&": "e comercial",
            "=": "igual",
            "+": "mais",
        },
        **{"~": "til"},
    },
    words={
        **{"²": "ao quadrado", "³": "ao cubo", "^": "elevado a"},
        **{
            "and": "e",
            "to": "a",
            "between": "entre",
            "between_and": "e",
            "of": "de",
            "per": "por",
            "hundred": "cem",
        },
        **{
            "version": "versão",
            "half_m": "meio",
            "half_f": "meia",
            "and_half_m": "meio",
            "and_half_f": "meia",
        },
        **{"each": "por|cada|o|um|do", "of_year": "de ", "at_time": "às ", "to_time": "às "},
    },
    gender=_gender,
    labels=wordset(
        """
        canal zona planta porta luz lâmpada quarto capítulo sensor número página versão sala piso andar
        nível modo linha praça voo portão rua rota fase parte temporada episódio cena grupo fila tema opção
        passo artigo área banheiro tomada interruptor câmera caixa rádio tv televisor tela botão tipo classe
        categoria unidade dispositivo ano anos dia fórmula letra janela persiana garagem termostato ambiente
        cenário apartamento
        """
    ),
    feminine_before=wordset(
        """
        às as à das nas umas pelas
        """
    ),
    counted=lambda said, noun: f"{said} ",
    decimals_agree=True,
    fix=lambda said, number, gender: said,
    units=_UNITS,
    squared=Power("quadrado", "quadrados", "quadrada", "quadradas"),
    cubed=Power("cúbico", "cúbicos", "cúbica", "cúbicas"),
    per=lambda symbol, noun: f"por {noun.one}",
    before_words=frozenset(("in", "ha", "mi", "y", "st", "d", "A")),
    currencies={
        **{"R$": _REAL, "BRL": _REAL, "€": _EURO, "EUR": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR},
        **{
            "£": _POUND,
            "GBP": _POUND,
            "¥": _YEN,
            "JPY": _YEN,
            "CHF": _FRANC,
            "ARS": _PESO,
            "MXN": _PESO,
            "¢": _CENT,
        },
    },
    cents="e",
    magnitudes="mil|milhões|milhão|bilhões|bilhão|trilhões|trilhão",
    months=_MONTHS,
    month_pattern="|".join((*_MONTHS, *listed("jan fev mar abr mai jun jul ago set out nov dez"))),
    date=_date,
    date_cue="o|em|no|no dia|dia|do|ao|até|desde|data|segunda|terça|quarta|quinta|sexta|sábado|domingo",
    clock=_clock,
    clock_cue="(?:às|as|das|nas|pelas) ",
    day_parts=_day_part,
    ordinal=_ordinal,
    degree_ordinals="andar|lugar|dia|ano|capítulo|aniversário|semestre|bimestre|trimestre|turno|prêmio|"
    "colocado|de"
    " (?:janeiro|maio|abril|julho|junho|agosto|setembro|outubro|novembro|dezembro|março|fevereiro)",
    denominator=_denominator,
    abbreviations={
        rf"1[°º]?(?= a \d{{1,2}} de (?:{'|'.join(_MONTHS)})\b)": "primeiro",
        **{r"[Ss]ra\.": "senhora", r"[Ss]rta\.": "senhorita", r"[Ss]rs\.": "senhores", r"[Ss]r\.": "senhor"},
        **{
            r"[Dd]ra\.": "doutora",
            r"[Dd]r\.": "doutor",
            r"[Pp]rofa?\.?ª": "professora",
            r"[Pp]rofa\.": "professora",
        },
        **{r"[Pp]rof\.": "professor", r"[Ee]xmo\.": "excelentíssimo", r"[Ee]xma\.": "excelentíssima"},
        **{r"[Ii]lmo\.": "ilustríssimo", r"[Ii]lma\.": "ilustríssima", r"V\. ?Exa\.": "vossa excelência"},
        **{
            r"[Ee]ng\.(?= [A-Z])": "engenheiro",
            r"D\.(?= [A-ZÁÉÍÓÚ][a-z])": "dom",
            r"[Aa]v\.(?= )": "avenida",
        },
        **{
            r"[Rr]od\.(?= )": "rodovia",
            r"[Pp]ça\.": "praça",
            r"[Aa]pto?\.": "apartamento",
            r"[Pp]ágs\.": "páginas",
        },
        **{r"[Pp]ág\.": "página", r"[Nn](?:\.º|º|°|\. ?º|r\.)(?= ?\d) ?": "número ", r"[Nn]úm\.": "número"},
        **{
            r"[Tt]el\.": "telefone",
            r"etc\.": "et cetera",
            r"[Pp](?:or|\.) ?ex\.": "por exemplo",
            r"[Ss]écs\.(?= [IVX])": "séculos",
            r"[Ss]éc\.(?= [IVX])": "século",
            r"R\.(?= [A-ZÁÉÍÓÚ][a-zà-ÿ]{2})": "rua",
            r"unids?\.": "unidades",
            r"[Pp]rob\.(?= )": "probabilidade",
            r"[Bb]l\.(?= )": "bloco",
            r"cx\.(?= de )": "caixas",
            r"s/n\.?º?": "sem número",
            r"[Ee]x\.:": "exemplo:",
        },
        **{r"[Aa]prox\.": "aproximadamente", r"[Cc]ap\.(?= )": "capítulo", r"[Vv]ol\.(?= )": "volume"},
        **{r"[Aa]rt\.(?= )": "artigo", r"a\. ?C\.": "antes de Cristo", r"d\. ?C\.": "depois de Cristo"},
        **{
            r"[Tt]emp\.(?= )": "temperatura",
            r"[Mm]áx\.": "máxima",
            r"[Mm]ín\.": "mínima",
            r"[Ll]tda\.": "limitada",
        },
        **{r"[Ss]ta\.(?= [A-Z])": "santa", r"[Ss]to\.(?= [A-Z])": "santo", r"[Cc]ia\.": "companhia"},
        **{
            r"vs\.?(?= )": "contra",
            r"[Ss]eg\.(?=,? \d{1,2}[ /])": "segunda",
            r"[Tt]er(?:\.(?=,? \d)|(?=, \d{1,2}[ /]))": "terça",
        },
        **{r"[Qq]ua\.?(?=,? \d{1,2}[ /])": "quarta", r"[Qq]ui\.?(?=,? \d{1,2}[ /])": "quinta"},
        **{r"[Ss]ex\.?(?=,? \d{1,2}[ /])": "sexta", r"[Ss]áb\.?(?=,? \d{1,2}[ /])": "sábado"},
        **{r"[Dd]om\.(?=,? \d{1,2}[ /])": "domingo"},
    },
    code_cue="ligue para o|ligue para|ligar para|disque|telefone|pin|código|senha|voo|cep|ramal|tel|"
    "emergência",
    regnal=_regnal,
    rulers="(?:João Paulo|Dom Pedro|D\\. Pedro|Dom João|Dom Manuel|Pedro|João|Manuel|Filipe|Felipe|"
    "Afonso|Carlos|Luís|Luiz|"
    "Fernando|Henrique|Isabel|Elizabeth|Jorge|Eduardo|Paulo|Pio|Bento|Leão|Guilherme|Frederico|Napoleão|"
    "Sancho|Catarina|"
    "Gregório|Francisco|Inocêncio|Ricardo|Ramsés|Clemente|Alexandre|Nicolau|Maria|Charles|Sebastião|Dinis)",
    century="séculos?",
    century_number=_century,
    roman_labels="capítulo|tomo|volume|parte|ato|cena|seção|artigo|título|anexo|fase|livro|nível|tipo|"
    "grau|episódio|"
    "temporada|guerra mundial",
    roman_counted="guerra mundial|aniversário|edição|congresso|jornada|centenário|festival|concurso|"
    "prêmio|república|"
    "encontro|feira|dinastia|legislatura|semana|maratona|torneio|copa|simpósio",
    compass=compass(
        "ventos? rajadas? brisas? direção rumo quadrante componente orientação",
        "NLSO norte leste sul oeste",
        "nordeste sudeste sudoeste noroeste",
        "norte-nordeste leste-nordeste leste-sudeste sul-sudeste sul-sudoeste oeste-sudoeste oeste-noroeste"
        " norte-noroeste",
    ),
    scales={
        **{"M": ("milhão", "milhões"), "mi": ("milhão", "milhões"), "mi.": ("milhão", "milhões")},
        **{"bi": ("bilhão", "bilhões"), "tri": ("trilhão", "trilhões")},
    },
    lasting="em|dentro de|daqui a|durante|por|dura|duração|duração de|leva|levou|faltam?|restam?|há|após|umas"
    "|quase|cada|filme de|viagem de|total de|tempo|mais de|menos de|cerca de|espere",
    over="de",
    letters={
        **dict(zip("abcdefghijklm", listed("á bê cê dê é efe gê agá i jota cá ele eme"), strict=True)),
        **dict(zip("nopqrstuv", listed("ene ó pê quê erre esse tê u vê"), strict=True)),
        **{"w": "dáblio", "x": "xis", "y": "ípsilon", "z": "zê"},
    },
)
"""What the rules need to know of Portuguese."""


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out; see `normalise.Normaliser`."""
    return romance.normalise(text, GRAMMAR)


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; see `normalise.Normaliser`."""
    return romance.say_as(text, kind, form, GRAMMAR)
