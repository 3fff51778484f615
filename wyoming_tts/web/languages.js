/** Names of languages, and a short sentence in each for a voice to be known by. */

const NAMES = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

/** Tags that stand for something else with espeak-ng than in general. */
const OWN = {
  "ca-BA": "Catalan (Balearic)",
  "ca-NW": "Catalan (North-western)",
  "ca-VA": "Catalan (Valencian)",
  "en-029": "Caribbean English",
  "ru-CL": "Russian (classic)",
  "zh-CN": "Mandarin Chinese",
};

/** @param {string} tag @returns {string} */
export function languageName(tag) {
  if (OWN[tag]) return OWN[tag];
  try {
    return NAMES.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

const SENTENCES = {
  "en": "Good morning. The coffee is ready.",
  "en-GB": "Good afternoon. The kettle is on.",
  "es": "Buenos días. El café está listo.",
  "fr": "Bonjour. Le café est prêt.",
  "hi": "नमस्ते। चाय तैयार है।",
  "it": "Buongiorno. Il caffè è pronto.",
  "pt": "Bom dia. O café está pronto.",
  "ja": "おはようございます。コーヒーができました。",
  "zh": "早上好。咖啡已经准备好了。",
  "yue": "早晨。咖啡準備好喇。",
  "af": "Goeie môre. Die koffie is gereed.",
  "ar": "صباح الخير. القهوة جاهزة.",
  "bg": "Добро утро. Кафето е готово.",
  "bn": "সুপ্রভাত। চা তৈরি।",
  "ca": "Bon dia. El cafè està a punt.",
  "cs": "Dobré ráno. Káva je hotová.",
  "cy": "Bore da. Mae'r coffi'n barod.",
  "da": "Godmorgen. Kaffen er klar.",
  "de": "Guten Morgen. Der Kaffee ist fertig.",
  "el": "Καλημέρα. Ο καφές είναι έτοιμος.",
  "et": "Tere hommikust. Kohv on valmis.",
  "eu": "Egun on. Kafea prest dago.",
  "fa": "صبح بخیر. قهوه آماده است.",
  "fi": "Hyvää huomenta. Kahvi on valmista.",
  "ga": "Maidin mhaith. Tá an caife réidh.",
  "he": "בוקר טוב. הקפה מוכן.",
  "hr": "Dobro jutro. Kava je gotova.",
  "hu": "Jó reggelt. Kész a kávé.",
  "id": "Selamat pagi. Kopinya sudah siap.",
  "is": "Góðan daginn. Kaffið er tilbúið.",
  "ko": "좋은 아침입니다. 커피가 준비되었습니다.",
  "la": "Salve. Omnia parata sunt.",
  "lt": "Labas rytas. Kava paruošta.",
  "lv": "Labrīt. Kafija ir gatava.",
  "ms": "Selamat pagi. Kopi sudah siap.",
  "nb": "God morgen. Kaffen er klar.",
  "nl": "Goedemorgen. De koffie is klaar.",
  "pl": "Dzień dobry. Kawa jest gotowa.",
  "ro": "Bună dimineața. Cafeaua este gata.",
  "ru": "Доброе утро. Кофе готов.",
  "sk": "Dobré ráno. Káva je hotová.",
  "sl": "Dobro jutro. Kava je pripravljena.",
  "sq": "Mirëmëngjes. Kafeja është gati.",
  "sr": "Dobro jutro. Kafa je gotova.",
  "sv": "God morgon. Kaffet är klart.",
  "sw": "Habari za asubuhi. Kahawa iko tayari.",
  "ta": "காலை வணக்கம். காபி தயார்.",
  "th": "สวัสดีตอนเช้า กาแฟพร้อมแล้ว",
  "tr": "Günaydın. Kahve hazır.",
  "uk": "Доброго ранку. Кава готова.",
  "ur": "صبح بخیر۔ چائے تیار ہے۔",
  "vi": "Chào buổi sáng. Cà phê đã sẵn sàng.",
};

/** Numbers are read out in any language. */
const ANY = "1, 2, 3, 4, 5.";

/** @param {string} tag @returns {string} */
export const sampleSentence = (tag) => SENTENCES[tag] ?? SENTENCES[tag.split("-")[0]] ?? ANY;
