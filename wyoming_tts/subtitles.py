def to_srt(words, text):
    return ""


def to_vtt(words, text):
    return ""
