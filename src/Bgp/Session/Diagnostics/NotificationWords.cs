using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session.Diagnostics;

// A NOTIFICATION in words, and what an operator can do about it.
internal static class NotificationWords
{
    // Where a NOTIFICATION might be expected and none came: a neighbor that hangs up before it has said anything.
    public const string ClosedWithoutAWord = "a neighbor that does not know this node hangs up like that: is the address shared with it yet?";

    // "Cease/Administrative Shutdown: planned maintenance"; of a Hard Reset also what it is about (RFC 8538 3.1). One level of that and no more: a neighbor may put
    // a Hard Reset into a Hard Reset into ...
    public static string Of(NotificationMessage notification)
    {
        var meaning = notification.Meaning;
        return ReferenceEquals(meaning, notification) ? Plain(notification) : $"{notification.Code} ({Plain(meaning)})";
    }

    // Null: the words say all there is to say. For the one who reads it, the node's operator; who says it matters.
    public static string? Advice(NotificationCode code, bool fromPeer) => (code.Code, code.Subcode) switch
    {
        (2, 2) => fromPeer
            ? "the neighbor expects another AS number of us: compare its configuration with our local AS"
            : "compare the neighbor's AS number with the one that is configured here for it",
        (2, 3) => fromPeer
            ? "two speakers have the same router id: give this node one of its own"
            : "every speaker needs a router id of its own: set the neighbor's, or this node's where they are the same",
        (2, 4) when !fromPeer => "the neighbor sends a parameter that is no capability, such as the authentication of old: switch it off there",
        (2, 7) when !fromPeer => "the neighbor has none of the address families that are offered here: compare the families of both",
        (2, 4) or (2, 7) => "the neighbor lacks something that is configured here: switch optional capabilities off, one after the other",
        (2, 5) => "the neighbor wants authentication that this session does not have: compare keys",
        (2, 6) => "the neighbor does not accept our hold time, or has none: use the platform's 9 s",
        (2, 11) => "the neighbor demands BGP roles (RFC 9234), which are not spoken here",
        (3, _) => fromPeer
            ? "the neighbor could not read an UPDATE of ours: keep the trace, it has the message"
            : "the neighbor sent an UPDATE that cannot be read: keep the trace, it has the message",
        (4, _) => fromPeer
            ? "the neighbor heard nothing of us in time: look for packet loss, a stopped process or an overloaded machine"
            : "look for packet loss, or a neighbor that is down or overloaded",
        (6, 1) => "the neighbor counts more prefixes than it allows us: announce fewer, or have its limit raised",
        (6, 2) => "somebody has switched the session off on the neighbor: it comes back when they switch it on",
        (6, 3) => "the neighbor no longer knows this node: is the address still shared with it?",
        (6, 4) => "somebody has reset the session on the neighbor; it is dialled again",
        (6, 5) => "the neighbor does not want this node: is the address shared with it yet, and is it dialled from the right address?",
        (6, 6) => "the neighbor's configuration has changed; it is dialled again",
        (6, 7) => "the neighbor has another connection from this address: is a second agent running with the same one?",
        (6, 8) => "the neighbor is out of memory or the like; it is dialled again, more slowly each time",
        (6, 10) => "the neighbor's BFD lost the path to this node: look at the path, or at BFD on this node",
        (8, _) => fromPeer
            ? "this node took nothing from its neighbor for too long: it is overloaded or stopped, or packets are lost"
            : "the neighbor takes nothing from us: it is overloaded or stopped, or packets are lost",
        _ => null,
    };

    private static string Plain(NotificationMessage notification)
    {
        var code = notification.Code;
        var text = code == NotificationCode.AdministrativeShutdown || code == NotificationCode.AdministrativeReset ? ShutdownText.Read(notification.Data.Span) : null;
        return text is null ? code.ToString() : $"{code}: {text}";
    }
}
