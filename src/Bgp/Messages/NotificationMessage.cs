using System.Text;

namespace FailoverHub.Bgp.Messages;

// NOTIFICATION (RFC 4271 4.5): the last message of a session.
//
//  +---------------+---------------+-------------------------------+
//  |  Error code   | Error subcode |   data (0 to 4075 octets) ...
//  +---------------+---------------+-------------------------------+
//
// The data of Cease/Hard Reset (RFC 8538 3.1) is the code, subcode and data of the NOTIFICATION that would have been sent if graceful restart
// had not been agreed on: the true reason.
internal sealed record NotificationMessage(NotificationCode Code, ReadOnlyMemory<byte> Data) : BgpMessage
{
    public override BgpMessageType Type => BgpMessageType.Notification;

    // "This, and do not keep my routes." Only for a neighbor that has set the N bit too.
    public NotificationMessage AsHardReset()
    {
        var data = new byte[2 + Data.Length];
        data[0] = Code.Code;
        data[1] = Code.Subcode;
        Data.Span.CopyTo(data.AsSpan(2));
        return new NotificationMessage(NotificationCode.HardReset, data);
    }

    // What is meant: the message inside of a Hard Reset, or itself. A Hard Reset that says no more is just that.
    public NotificationMessage Meaning =>
        Code == NotificationCode.HardReset && Data.Length >= 2
            ? new NotificationMessage(new NotificationCode(Data.Span[0], Data.Span[1]), Data[2..])
            : this;

    // The one that is made by itself would print Meaning, which may be the message again, and never end.
    protected override bool PrintMembers(StringBuilder builder)
    {
        builder.Append(Code).Append(", ").Append(Data.Length).Append(" octets");
        return true;
    }
}
