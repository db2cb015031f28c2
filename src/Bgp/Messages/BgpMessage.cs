namespace FailoverHub.Bgp.Messages;

// Every message starts with the same header (RFC 4271 4.1); lengths count the header:
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +---------------------------------------------------------------+
//  |                     Marker (16 octets, all ones)              |
//  +-------------------------------+---------------+---------------+
//  |      Length (19 to 4096)      |     Type      |   body ...
//  +-------------------------------+---------------+
//
// Where extended messages were agreed on, the length goes up to 65535, but never for OPEN and KEEPALIVE (RFC 8654 4).
// The family is closed: what is not one of these types is a session fault (1/3) before a message comes to be.
internal abstract record BgpMessage
{
    private protected BgpMessage()
    {
    }

    public abstract BgpMessageType Type { get; }
}

// A header and nothing else: one value is enough for all of them.
internal sealed record KeepaliveMessage : BgpMessage
{
    public static readonly KeepaliveMessage Instance = new();

    private KeepaliveMessage()
    {
    }

    public override BgpMessageType Type => BgpMessageType.Keepalive;
}
