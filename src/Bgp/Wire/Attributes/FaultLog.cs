using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire.Attributes;

// The worst fault of one UPDATE (RFC 7606 3 h), the words for it, and when it ends the session, what the NOTIFICATION says. Of equals the first counts.
internal sealed class FaultLog
{
    private NotificationCode _code;
    private byte[] _data = [];

    public AttributeFault Worst { get; private set; }

    public string? Problem { get; private set; }

    // Not one that ends the session.
    public void Add(AttributeFault fault, string problem)
    {
        if (fault > Worst)
        {
            Worst = fault;
            Problem = problem;
        }
    }

    // Always returns false: nothing behind it can be trusted.
    public bool AddReset(NotificationCode code, string problem, ReadOnlySpan<byte> data = default)
    {
        if (Worst < AttributeFault.SessionReset)
        {
            Worst = AttributeFault.SessionReset;
            Problem = problem;
            _code = code;
            _data = data.ToArray();
        }

        return false;
    }

    public void ThrowIfSessionReset()
    {
        if (Worst == AttributeFault.SessionReset)
        {
            throw new SessionFaultException(_code, Problem!, _data);
        }
    }
}
