namespace FailoverHub.Bgp.Messages;

// NOTIFICATION (RFC 4271 4.5): the last message of a session.
//
//  +---------------+---------------+-------------------------------+
//  |  Error code   | Error subcode |   data (0 to 4075 octets) ...
//  +---------------+---------------+-------------------------------+
internal sealed record NotificationMessage(NotificationCode Code, ReadOnlyMemory<byte> Data) : BgpMessage
{
    public override BgpMessageType Type => BgpMessageType.Notification;
}
