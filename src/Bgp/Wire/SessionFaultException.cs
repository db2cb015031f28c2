using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire;

// The neighbor did something that ends the session. The only thing that reading bytes ever throws: smaller errors are values
// (AttributeFault), so that nobody has to guess how far an exception reaches.
internal sealed class SessionFaultException : Exception
{
    // Code and data go into our NOTIFICATION; the text is for the operator: what was wrong, in a sentence without a full stop.
    public SessionFaultException(NotificationCode code, string text, ReadOnlySpan<byte> data = default)
        : base(text)
    {
        Code = code;
        NotificationData = data.ToArray();
    }

    public NotificationCode Code { get; }

    public ReadOnlyMemory<byte> NotificationData { get; }

    public NotificationMessage ToNotification() => new(Code, NotificationData);
}
