package archtest

// module is the path that every package of the house starts with.
const module = "github.com/slipwayhq/terraform-provider-slipway"

// room is one part of the house: a package and those below it, until a longer
// path in the list begins another room.
type room struct {
	path string // below the module, "" is the root
	rank int    // imports go to rooms of a lower rank, or stay in the room
}

// house lists the rooms, the lowest first.
var house = []room{
	{"engine", 0},
	{"engine/catalog", 1},
	{"engine/node", 1}, // the seam only
	{"engine/image", 1},
	{"engine/secret", 1},
	{"engine/plan", 2},
	{"engine/health", 2},
	{"engine/ingress", 2},
	{"engine/store", 2},
	{"internal/testenv", 2},
	{"internal/testimage", 2},
	{"internal/testdocker", 2},
	{"engine/node/nodetest", 3},
	{"engine/node/local", 3},
	{"engine/node/docker", 3},
	{"engine/rollout", 4},
	{"engine/core", 5},
	{"engine/api", 6},
	{"resources", 7},
	{"datasources", 8},
	{"provider", 9},
	{"provider/acctest", 10},
	{"", 11},         // main
	{"internal", 12}, // programs and fixtures for development, nobody's dependency
	{"examples", 12}, // programs that the quickstart deploys
}

// face is the part of the house that Terraform sees: of the engine it may know
// the words, the Service and the pure rules.
var face = []string{"resources", "datasources", "provider"}

// faceSees is what of the engine the face may import.
var faceSees = []string{"engine", "engine/catalog"}

// wiring are the rooms that put engine and face together.
var wiring = []string{"", "provider/acctest"}

// fixtures are packages for tests, which nothing else may import; what they
// import themselves is not part of the product.
var fixtures = []string{
	"engine/health/healthtest", "engine/node/fake", "engine/node/nodetest", "internal/testenv", "internal/testimage",
	"internal/testdocker", "provider/acctest",
}

// terraform is what nothing under engine may import, tests included.
const terraform = "github.com/hashicorp/terraform-"

// pureRooms compute and nothing else.
var pureRooms = []string{"engine", "engine/catalog", "engine/plan"}

// pureStandard is what of the standard library cannot do I/O. context and time
// are there for their types; see clockReaders.
var pureStandard = []string{
	"bytes", "cmp", "context", "crypto/hmac", "crypto/sha256", "encoding/asn1", "encoding/base64", "encoding/binary", "encoding/hex",
	"encoding/json", "encoding/pem", "errors", "fmt", "hash", "hash/fnv", "iter", "maps", "math", "math/big", "math/bits",
	"net/netip", "net/url", "path", "reflect", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// pureModules are the libraries that pure rooms may use: parsers without I/O of their own.
var pureModules = []string{
	"github.com/Masterminds/semver/v3",
	"github.com/google/go-containerregistry/pkg/name",
	"github.com/distribution/reference",
	"github.com/opencontainers/go-digest",
	"k8s.io/apimachinery/pkg/api/resource",
}

// clockReaders are the functions that make a result depend on when it was
// computed; pure rooms get the time as a value.
var clockReaders = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"}
