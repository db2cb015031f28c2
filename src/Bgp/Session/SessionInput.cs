using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Session;

/// <summary>What can happen to a session. A closed family.</summary>
public abstract record SessionInput
{
    private SessionInput()
    {
    }

    /// <summary>ManualStart (RFC 4271 8.1.2): dial at once, or for a passive session wait to be dialled.</summary>
    public sealed record Start : SessionInput;

    /// <summary>ManualStop: withdraw every announced route, then Cease/Administrative Shutdown, then close. Does not start again by itself.</summary>
    /// <param name="Text">Why, for the neighbor's log (RFC 9003): at most 255 octets of UTF-8, longer is cut at a character.</param>
    public sealed record Stop(string Text) : SessionInput
    {
        /// <summary>What the neighbor is told. Default: an administrative shutdown; only with that the text goes to the neighbor.</summary>
        public StopReason Reason { get; init; }
    }

    /// <summary>End the session with Cease/Administrative Reset (RFC 4486) and come up again by itself. Without a connection nothing happens.</summary>
    /// <param name="Text">Why, for the neighbor's log (RFC 9003): at most 255 octets of UTF-8, longer is cut at a character.</param>
    public sealed record Reset(string Text) : SessionInput;

    /// <summary>The dial that <see cref="SessionEffect.Dial"/> asked for succeeded, or a passive session's neighbor has connected.</summary>
    /// <param name="Local">Our address on the connection: the next hop of what we announce.</param>
    /// <param name="Remote">The neighbor's address.</param>
    public sealed record Connected(IPAddress Local, IPAddress Remote) : SessionInput;

    /// <summary>The dial failed.</summary>
    /// <param name="Reason">In words, for the operator: "connection refused".</param>
    public sealed record ConnectFailed(string Reason) : SessionInput
    {
        /// <summary>
        /// Nobody answered for as long as a dial is allowed to last: what the ConnectRetryTimer of RFC 4271 8.2.2 stands for. It is dialled again at once, since the
        /// path may come back at any moment. Default: somebody or something refused, and the next dial waits.
        /// </summary>
        public bool Unanswered { get; init; }
    }

    /// <summary>The connection is gone without the session's asking.</summary>
    /// <param name="Reason">In words, for the operator: "connection reset by the neighbor".</param>
    /// <param name="ByNeighbor">End of stream or reset; false: this side lost it or let it go.</param>
    public sealed record Disconnected(string Reason, bool ByNeighbor = true) : SessionInput;

    /// <summary>Bytes arrived. Any split: half a message, several messages. The memory is only read during the call.</summary>
    /// <param name="Bytes">What was read.</param>
    public sealed record Received(ReadOnlyMemory<byte> Bytes) : SessionInput;

    /// <summary>The routes that the neighbor should have, all of them, from now on. The session sends the difference, at once or when the output that waits is taken.</summary>
    /// <param name="Advertisements">At most one per prefix.</param>
    public sealed record SetAdvertisements(ImmutableArray<Advertisement> Advertisements) : SessionInput;

    /// <summary>
    /// The kernel did not take all of our output: some of it waits from now on. Given when nothing waited before; the SendHoldTimer (RFC 9687) runs from here.
    /// </summary>
    public sealed record OutputBlocked : SessionInput
    {
        /// <summary>The one value.</summary>
        public static readonly OutputBlocked Instance = new();

        private OutputBlocked()
        {
        }
    }

    /// <summary>
    /// After <see cref="OutputBlocked"/>: the kernel took at least one whole message of the output that waited, or the end of one that it had begun. Less than that is
    /// not worth telling: what starts the SendHoldTimer again is a message that is sent (RFC 9687 4.2), or a neighbor that takes an octet now and then could hold up
    /// a withdrawal for ever.
    /// </summary>
    public sealed record OutputProgress : SessionInput
    {
        /// <summary>It took some, and some still waits: the SendHoldTimer starts again.</summary>
        public static readonly OutputProgress Some = new(drained: false);

        /// <summary>It took all: the SendHoldTimer stops.</summary>
        public static readonly OutputProgress All = new(drained: true);

        private OutputProgress(bool drained) => Drained = drained;

        /// <summary>Nothing waits any more.</summary>
        public bool Drained { get; }
    }

    /// <summary>
    /// Time has passed: whatever is due at <c>now</c> happens. Given at <see cref="BgpSession.NextDeadline"/>; early is harmless, and from
    /// <see cref="BgpSession.KeepaliveFrom"/> on it sends a KEEPALIVE.
    /// </summary>
    public sealed record Tick : SessionInput;
}

/// <summary>Why a session is stopped, as far as BGP has a word for it (RFC 4486).</summary>
public enum StopReason
{
    /// <summary>Cease/Administrative Shutdown, with a text (RFC 9003).</summary>
    Shutdown,

    /// <summary>Cease/Peer De-configured: the neighbor is no longer in the configuration.</summary>
    PeerDeconfigured,

    /// <summary>Cease/Other Configuration Change: the session comes up again with other options.</summary>
    ConfigurationChange,
}
