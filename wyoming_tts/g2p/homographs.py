"""Which of its readings an English word has in its sentence ("record a record", "lead pipes", "I have read it")."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

_WINDOW = 12
"""Words on either side that are looked at."""

_DETERMINERS = frozenset(
    "the a an this these those my your his her its our their no every each some any another one's".split()
)
_PRONOUNS = frozenset("me you him her it us them this that these those everything all both".split())
_SUBJECTS = frozenset("i you we they".split())
_MODALS = frozenset(
    "can could will would shall should may might must do does did don't doesn't didn't can't cannot couldn't"
    " won't wouldn't shan't shouldn't mustn't to let's lets i'll you'll we'll they'll he'll she'll it'll i'd"
    " you'd we'd they'd he'd she'd it'd please".split()
)
_QUESTION = frozenset(
    "can could will would shall should may might must do does did don't doesn't didn't can't couldn't won't"
    " wouldn't shouldn't".split()
)
_BE = frozenset("is are was were be been being am isn't aren't wasn't weren't it's that's he's she's i'm".split())
_HELPERS = frozenset("let make makes made help helps helped have watch see hear saw heard bid".split())
_OPENERS = frozenset(
    "please then now just also first next finally lastly and but or so ok okay hey well alexa always never"
    " don't let's kindly simply quickly slowly carefully gently meanwhile yes no sure afterwards again".split()
)
_PARTICLES = frozenset("up down off out over back away".split())
_FINITE = frozenset(
    "is are was were has have had will would can could should may might must isn't aren't wasn't weren't won't"
    " can't couldn't doesn't don't didn't hasn't haven't".split()
)
_SUBORDINATE = frozenset("when if because before after until while that which who so unless where as and but".split())
_NOT_THE_INFINITIVE = frozenset(
    "due thanks according listen listened listening listens next close compared similar related prior belong"
    " belongs refer refers referring addition contrary owing opposed respect regard rose rise risen rises fell"
    " falling rising climbed access answer response reaction subscribe subscribed tune tuned switch switched".split()
)
_MARKS = frozenset(".,;:!?—…")

_D = r"(?:the|a|an|this|that|these|those|my|your|his|her|its|our|their|some|any|no|every|each)"
_PRO = r"(?:i|you|he|she|it|we|they|who|people|everyone|nobody)"
_TO_VB = (
    r"(?:to|can|could|will|would|shall|should|may|might|must|do|does|did|don't|doesn't|didn't|can't|cannot|won't"
    r"|couldn't|wouldn't|shouldn't|let me|let us|let's|please|\w+'ll|\w+'d)"
)
_ADVERBS = r"(?:\w+ly |not |also |just |now |always |never |ever |already |still |please |then |only |all |even )*"
_PASSED = (
    r"yesterday|last (?:night|week|month|year|time|summer|winter|\w+day)|\bago\b|earlier|previously"
    r"|this morning|in (?:19|20)\d\d|when (?:i|he|she|we|they) (?:was|were)\b"
)
_HABIT = r"every |each |daily|usually|always|often|sometimes|nowadays|regularly|on sundays|in the evenings?"

_SENSES: dict[str, tuple[tuple[str, str], ...]] = {
    "read": (
        ("VB", r"@ (?:only|mode|access|speeds?|errors?|times?|more)\b|(?:proof|speed|lip) @"),
        ("PAST", r"@ (?:receipts?|messages)\b|well @|widely @|(?:as|mark|marked|been|un) @"),
        ("VB", rf"{_D} (?:\w+ )?@ ?(?:[.,;:!?—…]|for|on|from|about|is|was|$)"),
        ("VB", rf"\b{_TO_VB} {_ADVERBS}@"),
        ("VB", rf"(?:can|could|will|would|did|do|does|should|shall|may|must|don't|didn't|doesn't) (?:{_D} )?\w+ {_ADVERBS}@"),
        ("PAST", rf"\b(?:have|has|had|having|haven't|hasn't|hadn't|\w+'ve) (?:{_PRO} |anyone |\w+ )?{_ADVERBS}@"),
        ("PAST", rf"\b(?:be|is|are|was|were|being|isn't|aren't|wasn't|weren't|get|gets|got|getting|\w+'s) {_ADVERBS}@"),
        ("VB", rf"^(?:{'|'.join(sorted(_OPENERS))}|,| )*@|[,;:.—…] (?:please |then |and |now )*@ (?:{_D}|me|it|us|them|aloud|out|all)\b"),
        ("PAST", _PASSED),
        ("VB", rf"\b(?:i|you|we|they|people|\w+s) (?:always|usually|often|sometimes|never|still|rarely|both|all) @"),
        ("VB", rf"\b(?:i|you|we|they|people|\w+s) @.*(?:{_HABIT})|(?:{_HABIT}).*\b(?:i|you|we|they) @"),
        ("PAST", rf"\b(?:he|she|it|which|that|who|everyone|someone|somebody|nobody|no one|i) {_ADVERBS}@"),
        ("VB", r"\b(?:you|we|they|people|children|kids|\w\w+[^s]s) @"),
    ),
    "lead": (
        ("METAL", r"@ (?:pipes?|paints?|poisoning|acid|batter(?:y|ies)|pencils?|levels?|contents?|free|ores?|weights?|shot|bullets?"
                  r"|solder|plumbing|exposure|contamination|crystal|sheets?|roof(?:ing)?|shield(?:ing)?|apron|test(?:s|ing)? kits?|lined|oxide|dust|glass|based)\b"),
        ("METAL", r"(?:of|contains?|containing|contained|like|as|with|without|from|into|melt(?:ed)?|molten|element|metal|pure|toxic|heavy"
                  r"|for) @ ?(?:[.,;:!?—…]|$|and|or|in\b|is\b|was\b)"),
        ("METAL", r"@ (?:in|from) (?:the |your |our |drinking |tap |old )*(?:\w+ )?(?:water|paint|pipes?|soil|blood|air|petrol|gasoline|fuel|pencils?|toys?)"),
        ("METAL", r"@ (?:and|or|,) (?:copper|mercury|zinc|tin|arsenic|cadmium|iron|silver|gold|asbestos|steel)|(?:copper|mercury|zinc|tin|arsenic|cadmium|iron|gold|silver) (?:and|or|,) @"),
        ("METAL", r"@ is (?:a |an )?(?:very |highly |extremely )?(?:heavy|toxic|soft|dense|poisonous|denser|heavier|softer|chemical|element|metal|harmful)"),
        ("METAL", r"(?:traces?|amounts?|levels?|tonnes?|tons?|kilos?|pounds?) of @"),
    ),
    "row": (("QUARREL", r"(?:had|have|having|blazing|furious|huge|terrible|big|flaming|heated|started) (?:a )?(?:blazing |huge |big |terrible |furious |heated )?@"
                        r"(?! of)|@ (?:broke|erupted|over|about|between|with (?:his|her|my|their))|@ing"),),
    "rows": (("QUARREL", r"(?:blazing|furious|constant|family) @|@ (?:broke|erupted|over|about)"),),
    "does": (
        ("DT", r"@n't|@ (?:not|it|this|that|he|she|anyone|anybody|everyone|the)\b"),
        ("DEER", r"(?:^|\b(?:two|three|four|five|six|seven|eight|nine|ten|several|some|many|few|of|female|wild|young|these|those|both|with|are|were) )@"
                 r" (?:and|are|were|with|grazed|in|ran|run|had|have|standing|grazing|crossed|appeared|near|wander|wandered|[.,;:!?]|$)"
                 r"|\bthe @ (?:and|are|were|with|grazed|ran|run|had|have|crossed|in)|(?:bucks?|stags?|deer|fawns?) (?:and|,|or) (?:\w+ )?@"
                 r"|@ (?:and|,|or) (?:their |the )?(?:bucks?|stags?|fawns?)|(?:two|three|four|five|six|several) (?:\w+ )?@"),
    ),
    "polish": (
        ("DEFAULT", rf"(?:nail|shoe|furniture|car|floor|french|metal|silver|some|the|to|and|then|of|a|more|please) @(?! (?:people|workers?|language|food))|@ (?:{_D}|it|them|up|off|remover|and)\b|@(?:ed|ing)"),
        ("POLAND", r"@ (?:people|workers?|language|food|radio|city|cities|president|government|border|market|citizens?|version|news|translation|speak\w*|prime|man|woman|family|students?|history|team|restaurants?|sausages?|zloty|film|author|songs?|music|village|army|embassy|poet|parliament|weather)"
                   r"|(?:in|speak|speaks|speaking|learn|learning|into|from|english|german|is|are|fluent|understand) @"),
    ),
    "bass": (
        ("FISH", r"\b(?:fish(?:ing|ed|es)?|caught|catch\w*|lakes?|rivers?|ponds?|sea|striped|largemouth|smallmouth|grill\w*|fillets?|trout|salmon|pounds?|"
                 r"angl\w+|bait|baked|cook\w*|fried|dinner|recipes?|swim\w*|chilean|ate|eat\w*|hooked|reel\w*|boat|lure|lemon)\b"),
    ),
    "bow": (
        ("DEFAULT", r"@ (?:and arrows?|ties?|tie|windows?|hunting|string)\b|(?:tie|ties|tied|wear\w*|wore|ribbon|violin|cello|red|big|pink|arrow|hair|in a|with a|draw\w* (?:the|his|her) ?|cross) @"),
        ("BEND", rf"\b(?:take|takes|took|taking|deep|slight|polite|low|final|gave|give|made|make) (?:a |an |his |her |their )?(?:\w+ )?@"
                 r"|@ (?:of (?:the|a|his|her|our) (?:ship|boat|vessel|ferry|yacht|titanic)|thruster|wave|to|down|before|out|your|his|her|their|head)\b|(?:ship|boat|vessel|yacht)'s @|(?:the|at|over) @ (?:of|[.,;]|$)|from @ to stern|\b(?:ship|boat|vessel|yacht|stern|sail\w*)\b"),
        ("BEND", rf"\b{_TO_VB} @|(?:they|we|you|i|actors|performers) @"),
    ),
    "bows": (("BEND", r"\b(?:he|she|it|who|actor|performer|everyone|take|takes|took|their|man|butler) (?:\w+ly )?@|@ (?:to|down|before|out|his|her)\b"),),
    "tear": (
        ("RIP", rf"@ (?:up|down|off|apart|open|out|along|into|through|it|{_D}|them|here)\b|wear and @|(?:{_D}|small|big|large|muscle|ligament|tendon|meniscus|acl|rotator|cuff|long|tiny|hairline) @ (?:in|across|along|near)\b"
                rf"|(?:acl|muscle|ligament|tendon|meniscus|cuff|cartilage|labral) @|\b{_TO_VB} {_ADVERBS}@|(?:fabric|curtain|paper|shirt|jeans|upholstery|cloth|sleeve|screen|filter|membrane|sail|tent).* @"),
        ("DEFAULT", r"@ (?:gas|ducts?|drop|film|stained|jerker|rolled|ran|fell|in (?:his|her|my|their) eyes?)\b|(?:single|shed a|a) @"),
    ),
    "tears": (
        ("DEFAULT", rf"(?:in|into|to|of|with|through|shed\w*|wiped?|wiping|her|his|their|my|your|the|burst into|by|happy|bitter|no|more|crocodile|baby) @|@ (?:in|of|came|ran|rolled|fell|streamed|welled|were|are|for fears)\b"),
        ("RIP", rf"\b(?:it|he|she|that|which|who|never|easily|often|paper|fabric|cloth|dog|cat|bag|wind|storm) @|@ (?:up|down|off|apart|open|out|it|{_D}|easily|through)\b"),
    ),
    "wind": (
        ("VB", rf"\b{_TO_VB} {_ADVERBS}@ (?:up|down|back|the|it|them|this|that|my|your|his|her|our|their|around|through|a|and|its|out|along|forward|[.,;:!?]|$)|@ (?:it|them|this|your|my|his|her)\b|@ (?:up|down|back) (?:the|your|my|his|her|{_D}|for|at|with|before|by)\b"),
        ("VB", rf"^(?:please |then |now |first |and )*@ (?:{_D}|it|them|up|down|back)\b|[,;:] (?:please |then |and )*@ (?:{_D}|it|them|up|down|back)\b|(?:and|or|then) @ (?:{_D}|it|them|up|down)\b"
               r"|\b(?:roads?|paths?|rivers?|trails?|streets?|stairs?|staircases?|vines?|tracks?|streams?|hoses?) (?:that |which )?@|\b(?:i|we|you|they) (?:always |usually |often )?@ (?:up|down|the|it|my|your)"),
        ("NN", r"."),
    ),
    "winds": (
        ("VBZ", r"\b(?:roads?|paths?|rivers?|trails?|streets?|staircase|stairs|track|stream|valley|route|he|she|it|which|that|who|everyone) (?:\w+ly )?@|@ (?:its way|the (?:clock|watch|toy|cable)|up (?:in|at|the|a|being|with)|through|around|along|past|down)\b"),
        ("NNS", r"."),
    ),
    "wound": (
        ("WIND", r"@ (?:up|down|around|round|through|along|back|his way|her way|its way|their way|the (?:clock|watch|cable|hose|rope|string|thread|yarn|wire|toy|bandage|tape|scarf|music))\b"
                 r"|\b(?:he|she|they|we|i|it|tightly|was|be|being|is|were|are|coil|wire|clock|rope|hose|cable|scarf|road|path|river|trail) (?:\w+ly )?@ (?:it|the (?:clock|watch)|tight|around|up|on|too|a (?:rope|scarf|cable))|tightly @|loosely @|(?:was|is|be|are|were) (?:\w+ly )?@ (?:up|around|on|tight\w*|too)|(?:coil|road|path|river|trail) @"),
    ),
    "live": (
        ("VB", r"@ (?:happily|alone|together|long(?:er)?|forever|without|with|near|nearby|abroad|next|up to|by|under|through|within|among|there|here|for|to|comfortably|longer|peacefully|upstairs|downstairs|off)\b(?! (?:music|audience))"),
        ("JJ", r"@ (?:music|streams?|streaming|feeds?|views?|viewing|cameras?|video|broadcasts?|tv|television|radio|concerts?|shows?|coverage|updates?|data|wires?|performances?|sports?|football|matches|match|games?|events?|news|audio|photos?|images?|footage"
               r"|tracking|traffic|scores?|recordings?|albums?|version|audiences?|chat|weather|radar|channels?|status|readings?|values?|electricity|preview|picture|action|session|bands?|animals?|bait|rounds?|ammunition|results?|prices?|cable|circuit|mains|blog|television)\b"),
        ("JJ", r"\b(?:is|are|was|were|be|been|being|go|goes|going|went|gone|it's|that's|they're|we're|you're|now|broadcast|broadcasting|streamed|streaming|stream|shown|watch|watching|see|hear|heard|aired|airing|performed|performing|play|playing|played|recorded|a|the|some|this|with|any|via|currently) (?:now |also |currently |not |it |them |you )?@(?! (?:in (?:a|the|london|paris)))"),
        ("VB", rf"\b(?:{_TO_VB[3:-1]}|i|you|we|they|who|people|that|which|\w+s|children|families|also|still|actually|really|both|all|where|parents) {_ADVERBS}@"),
        ("JJ", r"@ (?:from|on (?:air|stage|tv|television|youtube|channel|radio|the (?:air|radio|bbc))|at|now|[.,;:!?]|$)"),
        ("VB", r"^@ (?:in|and|your|a|for|on|as|life|well)\b"),
        ("VB", rf"\b(?:does|do|did|can|will) (?:{_D} )?(?:\w+ )?\w+ @"),
    ),
    "lives": (
        ("NNS", rf"\b(?:our|their|your|my|his|her|the|of|many|save|saved|saves|saving|lost|two|three|nine|several|people's|these|those|whose|all|human|more|other|no|extra|busy|daily|change|changed|changes|private|both) (?:own |daily |busy |everyday |human |private )?@"),
        ("VBZ", r"@ (?:in|at|on|with|near|alone|here|there|next|by|under|across|above|below|upstairs|downstairs|nearby|abroad|for|up|to|off|inside|outside|behind|within|far)\b|\b(?:he|she|it|who|that|which|one|everyone|nobody) (?:\w+ly |still |also )?@"),
    ),
    "minute": (
        ("TINY", r"@ (?:amounts?|details?|quantit(?:y|ies)|particles?|differences?|traces?|changes?|cracks?|holes?|fractions?|doses?|leaks?|variations?|movements?|fragments?|organisms?|insects?|crystals?|steps|droplets?|adjustments?|portions?|levels?|scratch(?:es)?|imperfections?|creatures?)\b"
                 r"|\b(?:is|are|was|were|looks?|seems?|so|very|almost|extremely|really|too|how) @ ?(?:[.,;:!?]|$|and|but|compared|in (?:size|comparison))"),
    ),
    "close": (
        ("DEFAULT", rf"\b(?:at|the|market|trading|of|near the|stock) @ (?:of|[.,;:!?]|$|on|yesterday|today)|\bto a @|@ of (?:business|trading|play|day|the)"),
        ("NEAR", r"@ (?:by|together|enough|friends?|call|range|attention|eye|proximity|watch|contact|family|relatives?|relationship|match|race|shave|look|up view|quarters|fitting|knit|second|finish|game|ties|encounters?|cooperation|up\b ?(?:of|shot|photo|image|picture|view|and|[.,]|$))\b"
                 r"|@ to (?!the public)\b(?!(?:us|you|them|me) (?:at|in) )"),
        ("DEFAULT", rf"^(?:{'|'.join(sorted(_OPENERS))}|,| )*@ (?!to\b)|\b(?:will|can|could|would|should|must|may|might|shall|do|does|did|don't|doesn't|didn't|won't|can't|cannot|couldn't|to|let's|please|\w+'ll) (?:not |never |also |now |then |automatically |\w+ly )?@"),
        ("NEAR", r"\b(?:is|are|was|were|be|been|being|it's|that's|they're|we're|you're|i'm|he's|she's|too|so|very|quite|really|pretty|fairly|how|as|that|get|gets|getting|got|come|comes|coming|came|stay|stays|stayed|keep|kept|stand|standing|stood|sit|sitting|move|moved|draw|drew|drawing|seems?|looks?|feels?|dangerously|extremely|a|this|more|not|still|remain|live|lives|park|parked|lean|hold|held|somewhere|up|relatively|uncomfortably|incredibly|my|our|his|her|their|your|in) "
                 r"(?:very |too |so |quite |pretty |really |extremely |fairly |dangerously |now |getting |not |all )*@"),
    ),
    "content": (
        ("PLEASED", r"\b(?:am|i'm|is|are|was|were|be|been|being|feel|feels|felt|feeling|seem|seems|seemed|look|looks|looked|quite|very|perfectly|not|so|more|she's|he's|you're|they're|we're|remain|remained|remains|stay|completely|fairly|happy and|most|never|purr\w*|sat|lay) @ ?(?:[.,;:!?]|$|with|to|in|and|now|here|just|as|at|being|by|after|enough|\w+ing)"
                    r"|@ (?:with|to (?:be|let|sit|stay|wait|watch|live|do|just|leave|play|read|work|follow|know))\b|\b(?:a|the) @ (?:cat|dog|smile|sigh|man|woman|baby|child|person|life|customer|look|purr)|\bto @ (?:yourself|himself|herself|themselves|itself|myself|ourselves)"),
    ),
    "dove": (
        ("DIVED", r"@ (?:into|in|down|under|off|for|straight|headfirst|head|deep|deeper|right|beneath|below|to|from|out|behind|through|underwater|overboard)\b(?! (?:the )?(?:cage|tree|sky))|\b(?:he|she|they|we|i|it|who|and|then|diver|swimmer|keeper|goalkeeper|plane|submarine) @ (?:in|\w+to|again|after|the|with|at)"),
    ),
    "used": (
        ("DEFAULT", r"\b(?:be|been|being|is|are|was|were|it's|get|often|commonly|can|also|mostly|mainly|only|typically|usually|he|she|they|we|i|you|it|\w+) @ to (?:\w+ly )?(?:be (?:called|known)\b)?(?=(?:control|heat|measure|make|open|turn|create|store|detect|determine|power|charge|cool|cut|clean|monitor|describe|refer|indicate|show|help|identify|trigger|set|run|send|connect|calculate|build|treat|produce|generate|improve|convert|switch|automate|test|check|find|keep|track|light|warm|dry|fill|play)\b)(?<=(?:be|is|re|as|en|ng|'s|et|ly|an|so) @ to )"),
        ("ACCUSTOMED", r"@ to\b"),
    ),
    "use": (("ACCUSTOMED", r"\b(?:did|didn't|never) (?:\w+ )?@ to (?:be|have|like|live|go|work|do|take|think|see|come|play|get)\b|\bdid(?:n't)? (?:\w+ )?\w+ @ to (?:be|have|like|live|go|work|do|think|see|come)\b"),),
    "resume": (
        ("CV", rf"\b(?:my|your|his|her|their|a|the|this|updated|attached|latest|impressive|online|new|send|send me|submit|cover letter and|strong) @(?! (?:button|command|playback|playing|at|the|of|function|option|time|point|action|music|cleaning|from))"),
    ),
    "invalid": (("PERSON", r"\b(?:an?|the|elderly|bedridden|old|chronic|poor|helpless|her|his|become an) @ ?(?:[.,;:!?]|$|who|and|for|since|was|had|has|in|after|with|all|by|chair|mother|father)(?! \w+ (?:password|code))"),),
    "bases": (("BASIS", r"\b(?:legal|theoretical|scientific|on the|ethical|moral|philosophical|different|regular|mathematical) @|@ (?:for|upon)\b"),),
    "axes": (("AXE", r"\b(?:sharp\w*|wood\w*|chop\w*|lumberjacks?|firefighters?|throw\w*|saws?|tools?|shed|hatchets?|battle|pick|fire|hammers?|swords?|swing\w*|knives)\b"),),
    "learned": (("WISE", r"\b(?:a|the|very|most|our|many|highly|my) @ (?:professor|man|woman|men|judge|scholars?|friends?|society|people|person|doctor|gentleman|colleague|counsel|academy|book|discussion|journal)\b"),),
    "aged": (("OLD", r"\b(?:the|an|his|her|my|their|our|your) @ (?:[.,;:!?]|$|and|are|in|parents?|mother|father|aunt|uncle|man|woman|people|grand\w+|relatives?|population|care)|@ care"),),
    "blessed": (("HOLY", r"\b(?:the|every|of|this|one|not a) @ (?:virgin|mother|sacrament|trinity|day|thing|event|saint|mary|one|peace|relief|silence|are)|^@ (?:are|be|is)"),),
    "sewer": (("SEWS", r"\b(?:sew\w*|fabric|needles?|stitch\w*|seamstress|tailor|garments?|skilled|experienced|quilts?)\b"),),
    "sow": (("PIG", r"\b(?:pigs?|piglets?|boars?|farmer's|litter|pregnant|barn|farrow\w*)\b|\b(?:the|a|our|mother|old|big|one) @\b"),),
    "sows": (("PIG", r"\b(?:pigs?|piglets?|boars?|litter|barn|the|two|three|several|many) @|\b(?:pigs?|piglets?|boars?)\b"),),
    "number": (("LESS", r"\b(?:feel|feels|felt|get|gets|grew|becoming|became|getting|even) @(?: and|[.,]| than|$)|@ (?:than|and @)"),),
    "nice": (("CITY", r"\b(?:in|to|from|near|via|for|outside|visit\w*|around|between|of|than) @(?! (?:\w+ )?(?:weather|things?|people|places?|day|words?|work|guys?|to\b|and (?:warm|cool|clean|easy|quiet|dry)|or))|@ (?:,|in) (?:france|provence|southern)|(?:paris|lyon|marseille|cannes|monaco|toulouse|antibes) (?:and|,|or|to) @"),),
    "reading": (("CITY", r"\b(?:in|to|from|near|via|at|for|outside|through|and|between|london|slough|oxford|swindon) @ (?:station|town|university|festival|west|fc|[.,;:!?]|$|is|and|at|on|to|via|has|by|was|tomorrow|today|,|with|will)"),),
    "mobile": (("CITY", r"@ ,? ?(?:alabama|bay)|\b(?:in|to|from|near) @ ?(?:[.,;:!?]|$|,|is)"),),
    "moped": (("VERB", r"\b(?:he|she|they|i|we|it|and|who|just) (?:\w+ly )?@|@ (?:around|about|all day)"),),
    "overall": (("ADV", r"^@ ?,|[.,;:] @ ?[,.]|@ ?[.,;:!?]?$"),),
    "present": (
        ("JJ", r"\b(?:is|are|was|were|be|not|been|being|currently|always|if|when|nobody|anyone|motion|someone|person|everyone|those|people|the|a|at|all|no longer|both) (?:currently |still |also |not |always |now |all |both )*@ ?(?:[.,;:!?]|$|in|at|on|and|for|when|during|day|time|moment|value|state|situation|position)"),
    ),
}  # fmt: skip
"""Word -> its senses and where they are meant, first match first; @ is the word in its sentence in small letters."""

_NOUN_BEFORE = frozenset("DT PRP$ JJ JJR JJS CD POS NNP".split())


@functools.cache
def _patterns(word: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sense, re.compile(pattern)) for sense, pattern in _SENSES.get(word, ()))


def senses(words: Sequence[str], tags: Sequence[str], is_homograph: Callable[[str], bool]) -> list[str]:
    """For each word of a sentence its sense, or its part of speech; marks count as words.

    `is_homograph` says of a word whether its sound depends on either.
    """
    small = [word.lower() for word in words]
    found = list(tags)
    for place, word in enumerate(words):
        if place < len(tags) and is_homograph(word):
            found[place] = _sense(place, small, found, word)
    return found


def _sense(place: int, words: list[str], tags: list[str], word: str) -> str:
    start = max(place - _WINDOW, 0)
    sense = _meant(words[place], " ".join([*words[start:place], "@", *words[place + 1 : place + _WINDOW]]))
    if words[place] == "polish" and word[:1].isupper() and place and words[place - 1] not in _MARKS:
        return "POLAND"
    if words[place] in ("nice", "reading", "mobile") and not word[:1].isupper():
        return tags[place]
    if sense:
        return sense
    if words[place] == "read":
        return _read(place, words, tags)
    return _repaired(place, words, tags)


def _meant(word: str, sentence: str) -> str | None:
    return next((sense for sense, pattern in _patterns(word) if pattern.search(sentence)), None)


def _read(place: int, words: list[str], tags: list[str]) -> str:
    """After a single thing or a name, or after another verb in the past, "read" is in the past."""
    before = tags[place - 1] if place else ""
    if before in ("NN", "NNP") or (words[place - 1] in ("and", "then") and "VBD" in tags[:place]):
        return "PAST"
    return "VB"


def _repaired(place: int, words: list[str], tags: list[str]) -> str:
    """The tag, put right where newspapers (which the tagger learnt from) never say what people tell a house."""
    tag = tags[place]
    before = words[place - 1] if place else "."
    earlier = words[place - 2] if place > 1 else "."
    after = words[place + 1] if place + 1 < len(words) else "."
    if before in _DETERMINERS and not (before == "her" and earlier in _HELPERS):
        return tag if not tag.startswith("VB") else "JJ" if _noun_follows(place, tags) else "NN"
    if _is_infinitive(place, words, tags):
        return "VB"
    if before in _SUBJECTS and not tag.startswith(("VBD", "VBN", "NNS", "VBZ")):
        return "VBP"
    if before in ("me", "him", "her", "us", "them", "it") and earlier in _HELPERS:
        return "VB"
    if _opens_clause(place, words, tags):
        return "VB" if _is_command(place, words, tags) else _not_a_verb(tag)
    if before in ("and", "or", "then", ",") and (after in _DETERMINERS or after in _PRONOUNS):
        return tag if tag.startswith("VB") else "VB"
    if tag in ("VBZ", "NNS", "NNPS"):
        return _plural(place, words, tags)
    return tag


def _is_infinitive(place: int, words: list[str], tags: list[str]) -> bool:
    """After "to", "can", "don't", and in questions such as "did the heater use"."""
    before = words[place - 1] if place else "."
    earlier = words[place - 2] if place > 1 else "."
    if before == "to":
        return not (earlier in _NOT_THE_INFINITIVE and _noun_follows(place, tags))
    if before in _MODALS:
        return not (tags[place] in ("JJ", "RB") and before in ("do", "does", "did"))
    if before == "not" or (before.endswith("ly") and tags[place - 1] == "RB"):
        return earlier in _MODALS
    return _in_question(place, words, tags)


def _in_question(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether an auxiliary opens the clause and all between it and the word is its subject."""
    start = _clause_start(place, words)
    opening = next((n for n in range(start, min(place, start + 5)) if words[n] in _QUESTION), None)
    if opening is None or opening + 1 >= place or not all(tag[:1] == "W" or tag in ("RB", "JJ", "NN", "NNS", "UH", "NNP")
                                                          for tag in tags[start:opening]):
        return False
    subject = tags[opening + 1 : place]
    whole = all(tag in ("DT", "PRP", "PRP$", "NN", "NNS", "NNP", "NNPS", "JJ", "CD", "POS", "RB") for tag in subject)
    last = next((tag for tag in reversed(subject) if tag != "RB"), "")
    return whole and last in ("PRP", "NN", "NNS", "NNP", "NNPS") and not tags[place + 1 : place + 2][:1] == ["VB"]


def _clause_start(place: int, words: list[str]) -> int:
    while place and words[place - 1] not in _MARKS:
        place -= 1
    return place


def _opens_clause(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether nothing but "please", "then", adverbs and the like stands before the word in its clause."""
    start = _clause_start(place, words)
    return all(word in _OPENERS or (word.endswith("ly") and tag == "RB")
               for word, tag in zip(words[start:place], tags[start:place], strict=True))


def _is_command(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether a word at the head of its clause tells somebody to do something."""
    after = words[place + 1] if place + 1 < len(words) else "."
    tag = tags[place + 1] if place + 1 < len(tags) else "."
    if after in _DETERMINERS or after in _PRONOUNS or after in _PARTICLES or after in ("only", "my", "less", "more"):
        return True
    if after in _MARKS or after in _FINITE or tag in ("IN", "CC", "VBD", "VBN", "VBZ", "VBP", "MD", "TO", "VBG"):
        return False
    return not _finite_follows(place, words, tags)


def _finite_follows(place: int, words: list[str], tags: list[str]) -> bool:
    for word, tag in zip(words[place + 1 :], tags[place + 1 :], strict=False):
        if word in _MARKS or word in _SUBORDINATE:
            return False
        if word in _FINITE or tag in ("VBZ", "VBP", "VBD", "MD"):
            return True
    return False


def _noun_follows(place: int, tags: Sequence[str]) -> bool:
    return any(tag.startswith("NN") for tag in tags[place + 1 : place + 2])


def _not_a_verb(tag: str) -> str:
    return "NN" if tag.startswith(("VB", "NNP")) else tag


def _plural(place: int, words: list[str], tags: list[str]) -> str:
    """Of words in -s, plural or verb: "the records show", "it records the show"."""
    before = words[place - 1] if place else "."
    after = words[place + 1] if place + 1 < len(words) else "."
    if before in ("he", "she", "it", "who", "which", "that", "this", "never", "always", "automatically"):
        return "VBZ"
    if before in _MARKS or (place and tags[place - 1] in _NOUN_BEFORE - {"NNP"}) or before in _BE:
        return "NNS"
    follows = after in _DETERMINERS or after in _PRONOUNS
    if place and tags[place - 1] in ("NN", "NNP") and follows and after not in ("all", "both"):
        return "VBZ"
    return tags[place]
