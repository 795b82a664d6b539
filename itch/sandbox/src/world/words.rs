//! The words of account names. No word is a prefix of another word of its list, and none could be
//! parsed as syllables (consonant, vowel, and so on), so a name can be parsed in one way only.

/// The words that a name may start with, sorted.
pub(super) static FIRST_WORDS: [&str; 256] = [
    "agile", "alpha", "amber", "ample", "angry", "arcane", "arctic", "ashen", "astral", "autumn", "azure", "bald",
    "black", "blank", "blaze", "bleak", "blind", "blond", "blue", "blunt", "bold", "brave", "bright", "brisk",
    "broken", "bronze", "brown", "bubbly", "burnt", "calm", "candid", "chaos", "cheeky", "chief", "chill", "chrome",
    "chunky", "clever", "cloudy", "clumsy", "cobalt", "comfy", "cool", "copper", "coral", "crafty", "crazy", "creepy",
    "crisp", "cruel", "curly", "cyber", "dandy", "dark", "dawn", "dead", "deep", "deft", "dense", "dizzy", "dusky",
    "dusty", "eager", "early", "earthy", "easy", "ebony", "edgy", "elder", "elite", "empty", "epic", "even", "evil",
    "faint", "fair", "fancy", "fast", "fierce", "fiery", "firm", "flash", "flat", "fluffy", "foggy", "fond", "forest",
    "free", "fresh", "frosty", "frozen", "funky", "funny", "furry", "fuzzy", "gentle", "giant", "giddy", "glassy",
    "gloomy", "glossy", "golden", "grand", "grave", "greasy", "great", "green", "grey", "grumpy", "happy", "hardy",
    "harsh", "hasty", "hearty", "heavy", "hollow", "honest", "humble", "hungry", "husky", "icy", "idle", "indigo",
    "inner", "iron", "itchy", "ivory", "jolly", "juicy", "jumpy", "keen", "kind", "large", "lazy", "lean", "little",
    "lofty", "lonely", "loyal", "lucky", "magic", "marble", "mellow", "merry", "mighty", "mild", "modern", "moody",
    "mossy", "muddy", "murky", "mystic", "naive", "neat", "neon", "nimble", "noble", "north", "odd", "olive", "only",
    "open", "outer", "pesky", "pink", "plain", "plucky", "plush", "prime", "proud", "punchy", "purple", "quick",
    "quiet", "quirky", "raspy", "rough", "royal", "ruby", "runic", "rusty", "sacred", "salty", "sandy", "sassy",
    "shady", "sharp", "shiny", "shy", "silent", "silver", "simple", "sleepy", "slick", "slow", "sly", "small", "smart",
    "smoky", "smug", "snappy", "sneaky", "snowy", "soft", "somber", "sonic", "spare", "spooky", "stark", "steel",
    "sticky", "stormy", "strong", "stuffy", "subtle", "sunny", "swift", "tall", "tart", "teal", "tender", "thorny",
    "tiny", "toasty", "tough", "toxic", "tricky", "true", "turbo", "ugly", "ultra", "umber", "upper", "urban",
    "urgent", "vague", "vast", "velvet", "vexed", "wacky", "warm", "wary", "wavy", "weird", "wet", "white", "wicked",
    "wide", "wild", "windy", "witty", "wooden", "worn", "young", "zany", "zesty",
];

/// The words that may follow, sorted.
pub(super) static LAST_WORDS: [&str; 256] = [
    "acorn", "agent", "alien", "anchor", "angel", "ant", "ape", "apple", "archer", "artist", "aspen", "axe", "badge",
    "bandit", "bard", "bark", "barrel", "basket", "bass", "bear", "beast", "beetle", "berry", "bird", "bishop", "blob",
    "bolt", "boot", "bowl", "breeze", "brick", "bubble", "bucket", "buddy", "bull", "bunny", "burger", "button",
    "camp", "candle", "cart", "castle", "cat", "charm", "cheese", "chess", "cider", "cliff", "cloak", "clover",
    "clown", "coach", "coffee", "comet", "cork", "corn", "cow", "crab", "crane", "crater", "creek", "crow", "cube",
    "curse", "dagger", "daisy", "dancer", "deer", "doctor", "dodger", "door", "dragon", "drake", "dream", "drone",
    "duck", "dust", "dwarf", "eagle", "echo", "elf", "fang", "feast", "fern", "ferry", "finch", "fish", "flame",
    "flute", "fly", "forge", "fox", "frog", "fungus", "gecko", "ghost", "ginger", "glove", "goat", "goose", "gopher",
    "guard", "guitar", "gull", "hammer", "heart", "helm", "hermit", "hippo", "hobbit", "hood", "hook", "horse",
    "hound", "hunter", "husk", "icicle", "imp", "inn", "island", "jacket", "jaguar", "jewel", "judge", "jungle",
    "kelp", "king", "koala", "kraken", "lagoon", "leaf", "light", "lizard", "lord", "lynx", "mango", "mantis", "marsh",
    "mask", "meadow", "medic", "meteor", "mint", "moon", "moose", "moth", "mouse", "muffin", "needle", "ninja", "oak",
    "oasis", "ocean", "onion", "oracle", "orb", "osprey", "otter", "oyster", "parrot", "pasta", "peach", "piano",
    "pickle", "pie", "plank", "plum", "poet", "poppy", "prince", "puddle", "puffin", "puppet", "puzzle", "quail",
    "quartz", "queen", "quest", "rabbit", "radish", "ranger", "raptor", "reaper", "ripple", "rocket", "rogue", "rook",
    "rudder", "saddle", "sailor", "salmon", "scout", "scroll", "shade", "shark", "sheep", "shell", "shield", "shrimp",
    "skull", "slime", "sloth", "smith", "snail", "snake", "sniper", "spark", "spider", "spirit", "spoon", "sprite",
    "stag", "star", "stone", "stork", "storm", "summit", "swamp", "swan", "sword", "tank", "temple", "thief", "thorn",
    "toad", "toast", "torch", "trail", "tree", "trout", "truck", "tundra", "turret", "tusk", "vault", "violet",
    "vortex", "waffle", "wagon", "walnut", "walrus", "wand", "whale", "willow", "wing", "winter", "wolf", "wombat",
    "worm", "wraith", "wren", "yak", "yarn", "yeti", "zebra", "zombie",
];
