"""What is spoken to measure quality: sentences of a house and its people, none of them used to calibrate.

Numbers are written as words, so that what is measured is the voice and not who reads numerals how.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wyoming_tts.types import Voice

ENGLISH = (
    "Thanks.",
    "Goodbye.",
    "Your timer has ended.",
    "The back door is locked.",
    "It is raining outside.",
    "The kettle has just boiled.",
    "I will remind you tomorrow.",
    "There is nobody at the front door.",
    "The bedroom window is still open.",
    "Dinner will be ready in ten minutes.",
    "I have turned on the lamp in the corner.",
    "The dishwasher has finished, and it can be emptied now.",
    "Your next appointment is at the dentist on Monday morning.",
    "The heating has been set to nineteen degrees in the bathroom.",
    "Good evening, the lights in the hallway are still on.",
    "There was a storm last night, and the garden chairs have blown over.",
    "The battery of the smoke detector in the attic is almost empty.",
    "Do you want me to play the album that you listened to yesterday?",
    "I am sorry, but I could not reach the printer in your office.",
    "The cat has been fed, and there is fresh water in her bowl.",
    "Somebody left a parcel behind the shed while you were out.",
    "The robot is cleaning the living room and will be done by noon.",
    "Which of the two alarms would you like to cancel?",
    "The garage door did not close because something is in the way.",
    "You asked me to wake you before sunrise, so good morning!",
    "The air in the children's room is stuffy; please open a window.",
    "The coffee machine needs more water and a new filter.",
    "Tonight will be clear and cold, with a light frost towards morning.",
    "Your shopping list has bread, butter, apples and washing powder on it.",
    "The gate opened at half past seven and closed two minutes later.",
    "I found three recipes with mushrooms; shall I read the first one?",
    "The pump in the cellar has been running for more than an hour.",
    "Everyone has left the house, so I have switched off the music.",
    "The bus into town leaves from the market square every quarter of an hour.",
    "The sun sets early today, and I will lower the blinds at five.",
    "When the washing is done, should I send a message to your phone?",
    "The old oak at the end of the lane lost a branch in the wind, and the road is closed.",
    "If you are going for a walk, take a warm coat, because the wind has turned to the north.",
    "The camera in the driveway saw a delivery van this afternoon, and the driver left a card in the box.",
    "Traffic on the ring road is slow after an accident near the airport, so the trip will take you an hour.",
    "I have added milk to the list, moved the meeting to Thursday, and told your sister you will be late.",
    "Before you go to bed, remember that the windows upstairs are open and the oven is still a little warm.",
)
"""English sentences, from one word to a hundred characters."""

SPANISH = (
    "De acuerdo.",
    "La ventana del baño sigue abierta.",
    "El temporizador ha terminado.",
    "He encendido la lámpara de la cocina.",
    "Mañana lloverá por la tarde, así que lleva un paraguas.",
    "La puerta del garaje se ha quedado abierta toda la noche.",
    "Tu próxima cita es el lunes por la mañana.",
    "No he encontrado ningún dispositivo con ese nombre.",
    "El robot está limpiando el dormitorio y terminará pronto.",
    "Buenos días, el café está listo y el coche está cargado.",
)

FRENCH = (
    "Très bien.",
    "La fenêtre de la chambre est ouverte.",
    "Votre minuteur est terminé.",
    "J'ai allumé la lampe de la cuisine.",
    "Demain, il pleuvra toute la matinée, prenez un parapluie.",
    "La porte du garage est restée ouverte pendant la nuit.",
    "Votre prochain rendez-vous est lundi matin.",
    "Je n'ai trouvé aucun appareil de ce nom.",
    "Le robot nettoie le couloir et aura bientôt fini.",
    "Bonjour, le café est prêt et la voiture est chargée.",
)

HINDI = (
    "धन्यवाद।",
    "खिड़की अभी भी खुली है।",
    "आपका टाइमर पूरा हो गया है।",
    "मैंने रसोई की बत्ती जला दी है।",
    "कल दिन भर बारिश होगी।",
    "गैराज का दरवाज़ा रात भर खुला रहा।",
    "आपकी अगली बैठक सोमवार सुबह है।",
    "मुझे इस नाम का कोई उपकरण नहीं मिला।",
    "घर में अभी कोई नहीं है।",
    "सुप्रभात, चाय तैयार है और मौसम अच्छा है।",
)

ITALIAN = (
    "D'accordo.",
    "La finestra del bagno è ancora aperta.",
    "Il timer è terminato.",
    "Ho acceso la lampada della cucina.",
    "Domani pioverà tutto il pomeriggio, prendi un ombrello.",
    "La porta del garage è rimasta aperta tutta la notte.",
    "Il tuo prossimo appuntamento è lunedì mattina.",
    "Non ho trovato nessun dispositivo con questo nome.",
    "Il robot sta pulendo il corridoio e finirà presto.",
    "Buongiorno, il caffè è pronto e la macchina è carica.",
)

PORTUGUESE = (
    "Está bem.",
    "A janela do banheiro ainda está aberta.",
    "O seu temporizador terminou.",
    "Acendi a luz da cozinha.",
    "Amanhã vai chover durante a tarde, leve um guarda-chuva.",
    "A porta da garagem ficou aberta a noite toda.",
    "O seu próximo compromisso é na segunda de manhã.",
    "Não encontrei nenhum aparelho com esse nome.",
    "O robô está limpando o corredor e vai terminar logo.",
    "Bom dia, o café está pronto e o carro está carregado.",
)

JAPANESE = (
    "わかりました。",
    "窓がまだ開いています。",
    "タイマーが終わりました。",
    "台所の電気をつけました。",
    "明日は雨が降るので、傘を持って行ってください。",
    "玄関に誰もいません。",
    "次の予定は月曜日の朝です。",
    "その名前の機械は見つかりませんでした。",
    "今、掃除をしています。",
    "おはようございます。今日はいい天気です。",
)

MANDARIN = (
    "明白了。",
    "卧室的窗户还开着。",
    "你的计时器结束了。",
    "我打开了厨房的灯。",
    "明天下午会下雨，请带上雨伞。",
    "车库的门开了一个晚上。",
    "你的下一个会议在星期一早上。",
    "我没有找到这个名字的设备。",
    "现在家里没有人。",
    "早上好，今天天气很好。",
)

TEXTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": ENGLISH,
        "es": SPANISH,
        "fr": FRENCH,
        "hi": HINDI,
        "it": ITALIAN,
        "pt": PORTUGUESE,
        "ja": JAPANESE,
        "zh": MANDARIN,
    }
)
"""Sentences by language, at least ten of each."""


def texts_for(voice: Voice, count: int) -> tuple[str, ...]:
    """`count` of the sentences in a voice's language, spread from the first to the last."""
    texts = TEXTS[voice.language.split("-")[0]]
    return tuple(texts[round(i * (len(texts) - 1) / max(1, count - 1))] for i in range(count))
