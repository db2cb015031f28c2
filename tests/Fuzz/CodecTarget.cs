using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Fuzz;

// Bytes through framer, codec and formatter. Reading ends in a message, in a wish for more bytes or in the one session fault; what was read without
// complaint means the same when it is written by us and read again; its text is one bounded line.
internal static class CodecTarget
{
    public const int MaxText = 8000;

    // kind 0: bytes as they came from the wire; else the body of a message of that type.
    public static void Run(byte agreed, byte kind, ReadOnlySpan<byte> bytes)
    {
        var context = new UpdateContext((agreed & 2) != 0, (agreed & 4) != 0, (agreed & 8) != 0)
        {
            ExtendedMessages = (agreed & 16) != 0,
            InternalPeer = (agreed & 32) != 0,
        };
        try
        {
            if (kind == 0)
            {
                ReadStream(bytes, context);
            }
            else
            {
                ReadBody((BgpMessageType)kind, bytes, context);
            }
        }
        catch (SessionFaultException fault)
        {
            var notification = MessageCodec.Write(fault.ToNotification());
            Require(notification.Length is >= 21 and <= WireWriter.MaxMessageLength, "a fault makes no NOTIFICATION that fits");
            CheckText(MessageFormatter.Describe(notification.Span, context));
        }
    }

    private static void ReadStream(ReadOnlySpan<byte> bytes, UpdateContext context)
    {
        var framer = new MessageFramer { ExtendedMessages = context.ExtendedMessages, EnhancedRouteRefresh = context.InternalPeer };
        CheckText(MessageFormatter.Describe(bytes, context));
        while (framer.TryNext(ref bytes, out var type, out var body))
        {
            ReadBody(type, body, context);
        }
    }

    private static void ReadBody(BgpMessageType type, ReadOnlySpan<byte> body, UpdateContext context)
    {
        CheckText(MessageFormatter.Describe(type, body, context));
        switch (type)
        {
            case BgpMessageType.Open:
                var open = OpenCodec.Read(body);
                if (body.Length < 2000)
                {
                    var written = MessageCodec.Write(open).Span[WireWriter.HeaderLength..];
                    RequireSame(written, MessageCodec.Write(OpenCodec.Read(written)).Span[WireWriter.HeaderLength..]);
                }

                break;
            case BgpMessageType.Update:
                ReadUpdate(body, context);
                break;
            case BgpMessageType.Notification:
                var notification = MessageCodec.ReadNotification(body);
                _ = ShutdownText.Read(notification.Data.Span);
                _ = notification.Meaning.ToString();
                break;
            case BgpMessageType.RouteRefresh:
                var refresh = MessageCodec.Write(MessageCodec.ReadRouteRefresh(body, enhanced: true)).Span[WireWriter.HeaderLength..];
                Require(body.Length != refresh.Length || body.SequenceEqual(refresh), "a ROUTE-REFRESH is not written as it was read");
                break;
        }
    }

    private static void ReadUpdate(ReadOnlySpan<byte> body, UpdateContext context)
    {
        var decoded = UpdateCodec.Read(body, context);
        Require(decoded.Worst != AttributeFault.SessionReset, "a fault that ends the session was not thrown");
        Require(decoded.Worst == AttributeFault.None == decoded.Problem is null, "a fault without words, or words without a fault");
        if (decoded.Worst == AttributeFault.TreatAsWithdraw || body.Length > 30_000)
        {
            return;
        }

        // Whatever was forgotten is gone; the rest is now in the one form in which we write it. There is room: ours may be a few octets longer.
        var roomy = context with { ExtendedMessages = true };
        var written = Write(decoded.Message, roomy);
        var again = UpdateCodec.Read(written.AsSpan(WireWriter.HeaderLength), roomy);
        Require(again.Worst == AttributeFault.None, "what we write is not what we would accept: " + again.Problem);
        RequireSame(written, Write(again.Message, roomy));
    }

    private static byte[] Write(UpdateMessage update, UpdateContext context)
    {
        var writer = new WireWriter();
        UpdateCodec.Write(writer, update, context);
        return writer.Finish().ToArray();
    }

    public static void CheckText(string text)
    {
        Require(text.Length is > 0 and <= MaxText, "the text of a message is empty or has no bound");
        foreach (var c in text)
        {
            Require(!char.IsControl(c), "the text of a message can control a terminal");
        }
    }

    public static void Require(bool holds, string rule)
    {
        if (!holds)
        {
            throw new BrokenRuleException(rule);
        }
    }

    private static void RequireSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Require(one.SequenceEqual(other), "the same message is not always the same bytes");
}
