using System.Globalization;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Session.Diagnostics;

/// <summary>Who sent a message.</summary>
public enum MessageDirection
{
    /// <summary>The neighbor.</summary>
    Received,

    /// <summary>We.</summary>
    Sent,
}

/// <summary>
/// One row of a trace: a message, or a run of keepalives of one direction with nothing but keepalives between them. Immutable; may be read on any
/// thread.
/// </summary>
public sealed class TraceEntry
{
    private readonly byte[]? _body;
    private readonly UpdateContext _context;

    internal TraceEntry(MessageDirection direction, BgpMessageType type, int length, byte[]? body, UpdateContext context)
    {
        Direction = direction;
        Type = type;
        Length = length;
        _body = body;
        _context = context;
    }

    /// <summary>Who sent it.</summary>
    public MessageDirection Direction { get; }

    /// <summary>Its type; 0: what came was no message (RFC 4271 6.1), and <see cref="Body"/> is the header that was refused.</summary>
    public BgpMessageType Type { get; }

    /// <summary>Octets of the message with its header, 19 to 65535.</summary>
    public int Length { get; }

    /// <summary>Which connection of the session it belongs to, from 1.</summary>
    public required int Connection { get; init; }

    /// <summary>When it was sent or received (the first of a run), on the clock of <c>now</c>.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>When the last of a run was; else as <see cref="At"/>.</summary>
    public required TimeSpan LastAt { get; init; }

    /// <summary>Messages of a run; else 1.</summary>
    public required long Count { get; init; }

    /// <summary>What stood behind the header, as far as it was kept (the first 4096 octets); empty also when it had to make room for newer messages.</summary>
    public ReadOnlyMemory<byte> Body => _body;

    /// <summary>The message in one line. Decoded at each call, not kept.</summary>
    public string Text()
    {
        if (Type == default && _body is not null)
        {
            return MessageFormatter.DescribeRefused(_body);
        }

        if (_body?.Length == Length - WireWriter.HeaderLength)
        {
            return MessageFormatter.Describe(Type, _body, _context);
        }

        var kept = _body is null ? "no longer kept" : $"the first {_body.Length.ToString(CultureInfo.InvariantCulture)} octets of the body kept";
        return string.Create(CultureInfo.InvariantCulture, $"{MessageFormatter.NameOf(Type)}, {Length} octets, {kept}");
    }
}
