"""Words of which decoy phrases are made, in the manner of people who were asked for a phrase. Never changed: see `rules`."""

from collections.abc import Mapping
from typing import Final

PATTERNS: Final = (
    "{quality} {thing}", "{quality} {thing}", "{quality} {animal}", "my {quality} {animal}", "{town} {number}",
    "{thing} and {animal}", "{doing} in {town}", "{doing} by the {spot}", "the {quality} {thing}", "{town}",
    "{animal}{number}", "{quality} {spot}", "i love {doing}", "{doing}", "{thing} at the {spot}", "{animal} {thing}",
)  # fmt: skip

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "quality": (
        "old", "little", "blue", "green", "quiet", "happy", "lucky", "sunny", "warm", "sweet", "golden", "silver", "brave",
        "lazy", "red", "wild", "early", "bright", "crazy", "rainy", "purple", "tall", "gentle", "fuzzy", "hungry", "sleepy",
        "cold", "funny", "fast", "grumpy", "dusty", "proud",
    ),
    "thing": (
        "teapot", "pickup", "garden", "porch", "blanket", "guitar", "sweater", "banjo", "kitchen", "bicycle", "pie",
        "lantern", "canoe", "piano", "window", "boot", "cookie", "hammock", "fiddle", "mailbox", "pocket", "bridge",
        "orchard", "ribbon", "button", "camera", "ladder", "basket", "tractor", "rose", "book", "candle",
    ),
    "animal": (
        "dog", "cat", "horse", "robin", "turtle", "rabbit", "bear", "duck", "beagle", "pony", "otter", "cardinal", "goat",
        "puppy", "kitten", "frog", "lab", "crow", "donkey", "chicken", "hawk", "catfish", "tiger", "squirrel", "heron",
        "fox", "elephant", "penguin", "corgi", "bee", "trout", "moose",
    ),
    "spot": (
        "lake house", "river", "beach", "porch", "mountain", "cabin", "farm", "summer camp", "state fair", "creek", "church",
        "ballpark", "backyard", "ranch", "school", "ocean", "valley", "woods", "harbor", "barn", "diner", "pond", "library",
        "market", "garden gate", "old mill", "fireplace", "waterfall", "lake", "boat dock", "picnic table", "swing",
    ),
    "town": (
        "springfield", "hot springs", "little rock", "memphis", "branson", "tulsa", "paris", "texas", "florida", "kansas city",
        "eureka springs", "fayetteville", "nashville", "new orleans", "st louis", "chicago", "colorado", "maine", "savannah",
        "santa fe", "hawaii", "mexico", "rome", "ireland", "jonesboro", "joplin", "dallas", "denver", "alaska", "lisbon",
        "arkansas", "ohio",
    ),
    "doing": (
        "fishing", "quilting", "gardening", "baking", "dancing", "hiking", "camping", "singing", "reading", "swimming",
        "painting", "running", "sailing", "knitting", "laughing", "biking", "cooking", "bowling", "golfing", "dreaming",
        "skating", "hunting", "skiing", "traveling", "bird watching", "star gazing", "coffee", "sunday dinner",
        "football", "bluegrass", "yoga", "chess",
    ),
}  # fmt: skip
