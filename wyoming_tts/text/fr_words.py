"""Words of French: which nouns are feminine, ordinals, dates, times of day."""

from __future__ import annotations

import re

from wyoming_tts.text import numbers
from wyoming_tts.text.romance_grammar import Gender

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
"""January to December."""

_FEMININE = frozenset(
    (
        *("adresse", "alarme", "alerte", "amie", "ampoule", "année", "app", "appli", "armoire"),
        *("arrivée", "assiette", "averse", "bague", "baie", "baignoire", "baisse", "balle", "banane"),
        *("banque", "barre", "batterie", "belle", "bibliothèque", "bière", "boisson", "bombe"),
        *("bonne", "borne", "bouche", "bouchée", "bougie", "bouilloire", "bourse", "bouteille"),
        *("boutique", "boîte", "branche", "brique", "brosse", "buanderie", "bûche", "cafetière"),
        *("caisse", "caméra", "canette", "carotte", "carte", "cartouche", "cave", "centaine"),
        *("cerise", "chaise", "chaleur", "chambre", "chanson", "chanteuse", "charge", "chaudière"),
        *("chaussure", "chaîne", "check-list", "cheminée", "chemise", "chose", "cible", "classe"),
        *("clef", "cloche", "clé", "colonne", "commande", "copie", "corde", "couche", "couleur"),
        *("coupe", "cour", "course", "couverture", "cruche", "cuillerée", "cuillère", "cuisine"),
        *("cuvette", "date", "demande", "demi-heure", "demi-journée", "demie", "dent", "dernière"),
        *("diode", "dizaine", "donnée", "dose", "douche", "douleur", "douzaine", "durée", "décharge"),
        *("empreinte", "enceinte", "encoche", "entité", "entreprise", "entrée", "enveloppe"),
        *("erreur", "facture", "faute", "femme", "fenêtre", "ferme", "feuille", "fiche", "file"),
        *("fille", "fièvre", "fleur", "flèche", "fois", "fonction", "forme", "fourche", "fourchette"),
        *("fraise", "fuite", "fête", "galerie", "gamme", "gorgée", "goulée", "gousse", "goutte"),
        *("graine", "grande", "grange", "guerre", "haie", "hausse", "heure", "histoire", "horloge"),
        *("huile", "hypothèse", "hôtesse", "idée", "image", "imprimante", "infirmière", "insulte"),
        *("interface", "intégration", "jambe", "jauge", "journée", "jupe", "lampe", "langue"),
        *("larme", "lettre", "leçon", "ligne", "limite", "liste", "livraison", "loge", "longue"),
        *("lumière", "lune", "lunette", "lèvre", "machine", "main", "maison", "manche", "manette"),
        *("manière", "maquette", "marche", "marque", "marée", "matinée", "mauvaise", "maîtresse"),
        *("membrane", "mer", "merveille", "messagerie", "minute", "mise", "mission", "moitié"),
        *("montagne", "montre", "montée", "moto", "multiprise", "musique", "mèche", "mère"),
        *("médaille", "mélodie", "mémoire", "méthode", "nappe", "newsletter", "note", "nouvelle"),
        *("nuit", "offre", "olive", "ombre", "once", "opération", "orange", "oreille", "page"),
        *("paire", "panne", "parcelle", "parole", "part", "partie", "passe", "pastille", "pause"),
        *("peau", "peine", "pelouse", "pensée", "perle", "personne", "perte", "petite", "photo"),
        *("phrase", "pierre", "pile", "pincée", "piqûre", "piscine", "pizza", "pièce", "place"),
        *("plage", "plainte", "plante", "planète", "plaque", "playlist", "pluie", "poche", "poignée"),
        *("pointe", "poire", "pomme", "pompe", "porte", "portière", "portée", "pose", "poule"),
        *("poupée", "poêle", "première", "pression", "prise", "prochaine", "promenade", "promesse"),
        *("prune", "puce", "pédale", "période", "pêche", "quinzaine", "rafale", "raison", "rame"),
        *("rampe", "randonnée", "rangée", "recette", "recharge", "recherche", "reine", "remarque"),
        *("ressource", "revue", "robe", "roue", "route", "rubrique", "rue", "règle", "réponse"),
        *("réserve", "réunion", "salade", "salle", "scène", "seconde", "semaine", "serrure"),
        *("serviette", "seule", "sirène", "soirée", "somme", "sonde", "sonnerie", "sonnette"),
        *("sortie", "soupe", "source", "souris", "sous-zone", "station", "surface", "surprise"),
        *("série", "sœur", "table", "tablette", "tasse", "température", "tempête", "tentative"),
        *("terrasse", "tige", "toile", "toilette", "tomate", "tonne", "touche", "tournée", "trace"),
        *("trajectoire", "tranche", "trentaine", "truite", "tulipe", "tâche", "télé", "télécommande"),
        *("télévision", "tête", "vache", "vague", "valise", "vanne", "variable", "veilleuse"),
        *("ventouse", "victoire", "vidéo", "vie", "vieille", "vigne", "ville", "vingtaine", "vis"),
        *("vitesse", "vitre", "vitrine", "voie", "voiture", "voix", "volaille", "zone", "écharpe"),
        *("échelle", "éclaircie", "école", "énigme", "épaule", "épreuve", "équipe", "étagère"),
        *("étape", "étincelle", "étoile", "île", "œuvre"),
    )
)
_FEMININE_ENDING = re.compile(
    r"(?:tion|[sx]ion|aison|ité|iété|[^ô]té|ette"
    r"|elle|ence|ance|ture|sure|ude|euse|trice|esse|erie|gie|phie|nomie|ise)$"
)
_MASCULINE = frozenset(
    (
        *("accepté", "ajouté", "appelle", "arrêté", "assure", "avance", "avion", "bastion", "camion"),
        *("champion", "chancelle", "comité", "commence", "compté", "connecté", "coûté", "côté"),
        *("dure", "débranché", "démarre", "député", "détecté", "espion", "excité", "lance"),
        *("libelle", "lion", "million", "modelle", "modèle", "monté", "noté", "pense", "pion"),
        *("polichinelle", "pâté", "rappelle", "rapporté", "reporté", "resté", "répété", "scion"),
        *("silence", "squelette", "testé", "traité", "vermicelle", "violoncelle", "été"),
    )
)


def gender(word: str, number: int) -> Gender:
    """Whether a word behind a number makes it feminine; "" where it does not, or is not known to."""
    word = word.lower()
    for single in (word, word[:-1]) if word[-1:] in "sx" else (word,):
        if single in _FEMININE or (single not in _MASCULINE and _FEMININE_ENDING.search(single)):
            return "f"
    return ""


def ordinal(number: int, gender: Gender = "m") -> str:
    """`1` -> "premier", `21` -> "vingt-et-unième"."""
    if number == 1:
        return "première" if gender == "f" else "premier"
    said = numbers.cardinal(number, "fr")
    said = re.sub(r"(vingt|cent|million|milliard)s$", r"\1", said).removesuffix("e")
    return re.sub(r"f$", "v", re.sub(r"cinq$", "cinqu", said)) + "ième"


def date(day: int, month: int, year: int | None) -> str:
    """`21, 11, 2026` -> "vingt-et-un novembre deux mille vingt-six"."""
    number = "premier" if day == 1 else numbers.cardinal(day, "fr")
    said = f"{number} {MONTHS[month - 1]}"
    return said if year is None else f"{said} {numbers.cardinal(year, 'fr')}"


def clock(hour: int, minute: int, cue: str, bare: bool) -> str:
    """`7, 5` -> "sept heures cinq"."""
    if not hour and not minute:
        return f"{cue}minuit"
    said = f"{numbers.cardinal(hour, 'fr', feminine=True)} heure{'s' if hour > 1 else ''}"
    return f"{cue}{said} {numbers.cardinal(minute, 'fr', feminine=True)}" if minute else cue + said


def day_part(hour: int) -> str:
    """What is said behind an hour of twelve."""
    return "du matin" if hour < 12 else "de l'après-midi" if hour < 18 else "du soir"


def denominator(below: int, above: int) -> str:
    """`4` -> "quart", "quarts"."""
    word = {2: "demi", 3: "tiers", 4: "quart"}.get(below) or ordinal(below)
    return word if above == 1 or word.endswith("s") else f"{word}s"
