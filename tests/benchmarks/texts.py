"""What is spoken: sentences of set lengths, several of each so that no answer can come from a cache."""

from __future__ import annotations

SHORT = (
    "I have turned on all lights downstairs.",
    "The washing machine has finished just now.",
    "It is a little colder than it was before.",
    "Your next meeting starts just after lunch.",
)
"""Sentences of about 40 characters."""

MEDIUM = (
    "The front door has been unlocked for ten minutes, so you may want to check it before you go to bed.",
    "Tomorrow will be mostly cloudy with some light rain in the morning and a gentle wind from the west.",
    "I have moved your appointment with the dentist to Thursday, and sent a message to let them know it.",
    "The battery of the car is nearly full, and it should be ready for the road by the time you get up.",
)
"""Sentences of about 100 characters."""

LONG = (
    "When the sun goes down and the house grows quiet, I close the blinds in the living room, turn the "
    "heating down to its night setting, switch off every lamp that nobody needs, make sure that the "
    "windows in the attic are shut, check that the garage door is locked, and then wait until the last "
    "person has gone upstairs, because only then do I set the alarm, which stays on until one of you gets "
    "up again.",
    "The recipe asks for two onions, a handful of mushrooms, some fresh parsley and a little cream, but "
    "since you have no cream in the fridge, you could take yoghurt instead, which works nearly as well, "
    "provided that you take the pan off the heat first, let it cool for a minute, stir the yoghurt in "
    "slowly, and season everything at the very end with salt, pepper and a few drops of lemon juice, as I "
    "do.",
    "Although the train from the coast was late again, and the connection in the city was only four "
    "minutes, we reached the last bus of the evening, which was nearly empty, drove through the dark "
    "valley for an hour, got out at the old mill, where nobody was waiting for us, walked up the hill in "
    "the rain, and found the cottage warm, the table laid, the kettle on the stove, and a note telling us "
    "to help ourselves.",
)
"""Sentences of about 400 characters with clauses."""

UNBROKEN = (
    "The engineers who built the long bridge across the river at the edge of the town spent almost seven "
    "years looking for a way to carry the weight of two railway tracks and a wide road without asking for "
    "more stone than the quarry behind the northern hills could possibly deliver before the beginning of "
    "the coldest winter that anyone living in that part of the country had seen since the great flood.",
    "Everyone who has ever tried to teach a small child how to ride a bicycle on a quiet road behind the "
    "house will remember the strange mixture of pride and fear that comes with letting go of the saddle "
    "for the first time and watching the little figure wobble away towards the corner without looking back "
    "even once while the neighbours clap their hands and the dog runs along barking as loudly as it can.",
    "The old librarian told the visitors from the university that the most valuable book in the entire "
    "collection had been found by a gardener under the floor of a shed which was about to be torn down to "
    "make room for the new car park that the town council had planned to build right behind the museum in "
    "spite of all the letters that angry citizens had written to the local newspaper during that hot "
    "summer.",
)
"""Sentences of about 400 characters without a single comma."""

PARAGRAPHS = (
    "Good morning. It is seven o'clock, and the sun has just come up. Today will be mild and mostly dry, "
    "with a little rain late in the afternoon, so an umbrella would not be a bad idea. Your first meeting "
    "is at nine, and the road into town is clear at the moment. The dishwasher has finished, the car is "
    "charged, and someone left the window in the bathroom open overnight. There are three new messages, "
    "none of them urgent. One is from your sister, who asks whether you would like to come for dinner on "
    "Saturday. Shall I tell her that you will?",
    "The lighthouse was built at the end of a long spit of sand. For two hundred years a keeper lived "
    "there, with his family and a few goats. Every evening somebody climbed the steps, trimmed the wick, "
    "and lit the lamp. Ships that came round the cape in the dark looked for that one small light, and "
    "when they saw it they knew that they were nearly home. Nowadays the lamp is electric, and nobody "
    "needs to climb the steps any more. Yet on quiet nights people still walk out along the beach to watch "
    "it turn.",
)
"""Texts of several sentences, each text about half a minute of speech."""

LENGTHS = {
    "40": SHORT,
    "100": MEDIUM,
    "400, with clauses": LONG,
    "400, no comma": UNBROKEN,
}
"""Sentences by how many characters they have."""

HOUSEHOLD = (
    "Good morning. It is seven o'clock, and the sun has just come up. Today will be mild and mostly dry, "
    "with a little rain late in the afternoon, so an umbrella would not be a bad idea. Your first meeting "
    "is at nine, and the road into town is clear at the moment. The dishwasher has finished, the car is "
    "charged, and someone left the window in the bathroom open overnight.",
    "The lighthouse was built at the end of a long spit of sand. For two hundred years a keeper lived "
    "there, with his family and a few goats. Every evening somebody climbed the steps, trimmed the wick, "
    "and lit the lamp. Ships that came round the cape in the dark looked for that one small light, and "
    "when they saw it they knew that they were nearly home.",
    "There are three new messages, none of them urgent. One is from your sister, who asks whether you "
    "would like to come for dinner on Saturday. The parcel that you have been waiting for was left with "
    "the neighbours, and the plumber wrote that he will be late. The heating will be turned down at ten, "
    "the alarm is set for half past six, and the cat is still outside.",
    "First wash the rice until the water stays clear, and let it drain for a quarter of an hour. "
    "Meanwhile chop the onions and the carrots, and warm the oil in a heavy pan. When the onions are "
    "soft, stir in the rice, and pour in the broth a little at a time. Keep the heat low, put the lid on, "
    "and do not lift it before the twenty minutes are over.",
)
"""Texts of about 20 seconds of speech each."""
