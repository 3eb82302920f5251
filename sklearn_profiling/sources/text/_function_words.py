"""Short lists of function words, which show style rather than topic."""

from __future__ import annotations

__all__ = ["FUNCTION_WORDS"]

#: Articles, pronouns, prepositions, conjunctions and auxiliaries by language.
FUNCTION_WORDS: dict[str, tuple[str, ...]] = {
    "en": (
        "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as",
        "at", "be", "because", "been", "before", "but", "by", "can", "could", "did",
        "do", "does", "down", "even", "every", "for", "from", "had", "has", "have",
        "he", "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it",
        "its", "just", "may", "me", "might", "more", "most", "must", "my", "no", "not",
        "now", "of", "off", "on", "only", "or", "our", "out", "over", "she", "should",
        "so", "some", "such", "than", "that", "the", "their", "them", "then", "there",
        "these", "they", "this", "those", "to", "too", "under", "up", "us", "very",
        "was", "we", "were", "what", "when", "where", "which", "while", "who", "why",
        "will", "with", "would", "you", "your",
    ),
    "es": (
        "a", "al", "algo", "alguien", "ante", "antes", "aquí", "así", "aunque", "bajo",
        "bien", "cada", "como", "con", "contra", "cual", "cuando", "cómo", "de",
        "del", "desde", "donde", "durante", "e", "el", "ella", "ellas", "ellos", "en",
        "entre", "era", "eres", "es", "esa", "ese", "eso", "esta", "estar", "este",
        "esto", "está", "están", "fue", "ha", "hace", "hacia", "han", "hasta", "hay",
        "he", "la", "las", "le", "les", "lo", "los", "me", "mi", "mis", "muy", "más",
        "mí", "nada", "nadie", "ni", "no", "nos", "nosotros", "nuestra", "nuestro", "o",
        "os", "otra", "otro", "para", "pero", "poco", "por", "porque", "pues", "que",
        "quien", "qué", "se", "según", "ser", "si", "siempre", "sin", "sobre", "son",
        "soy", "su", "sus", "sí", "también", "tan", "te", "ti", "todo", "todos", "tu",
        "tus", "tú", "un", "una", "uno", "unos", "usted", "vosotros", "y", "ya", "yo",
    ),
}  # fmt: skip
