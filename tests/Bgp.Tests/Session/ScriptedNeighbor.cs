using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session;

// One session whose neighbor is played by hand: it says whatever the test wants, right or wrong.
internal sealed class ScriptedNeighbor
{
    public static readonly OpenMessage Open = OpenNegotiation.OurOpen(SessionPair.RouterOptions, withCapabilities: true);

    private readonly BgpSession _session;

    public ScriptedNeighbor(SessionOptions? options = null)
    {
        _session = new BgpSession(options ?? SessionPair.AgentOptions, new Random(7));
    }

    public TimeSpan Now { get; private set; }

    public IPAddress Local { get; init; } = IPAddress.Parse("fd00:10:34::1");

    public IPAddress Remote { get; init; } = IPAddress.Parse("fd00:10:34::2");

    public SessionState State => _session.State;

    public TimeSpan? NextDeadline => _session.NextDeadline;

    public SessionDiagnostics Diagnostics => _session.Diagnostics;

    public ImmutableArray<TraceEntry> Trace => _session.ReadTrace();

    // What the last input led to.
    public List<SessionEffect> Effects { get; private set; } = [];

    public ScriptedNeighbor InOpenSent()
    {
        Give(new SessionInput.Start());
        Give(new SessionInput.Connected(Local, Remote));
        Assert.Equal(SessionState.OpenSent, State);
        return this;
    }

    public ScriptedNeighbor InOpenConfirm(OpenMessage? open = null)
    {
        InOpenSent();
        Says(open ?? Open);
        Assert.Equal(SessionState.OpenConfirm, State);
        return this;
    }

    public ScriptedNeighbor InEstablished(OpenMessage? open = null)
    {
        InOpenConfirm(open);
        Says(KeepaliveMessage.Instance);
        Assert.Equal(SessionState.Established, State);
        return this;
    }

    public List<SessionEffect> Give(SessionInput input) => Effects = [.. _session.Handle(input, Now)];

    public List<SessionEffect> Says(BgpMessage message) => Says(Codec.Encode(message));

    public List<SessionEffect> Says(params byte[] bytes) => Give(new SessionInput.Received(bytes));

    public List<SessionEffect> Announce(params Advertisement[] all) => Give(new SessionInput.SetAdvertisements([.. all]));

    // Time passes, and the timers that are due on the way do what they do. All their effects.
    public List<SessionEffect> Wait(TimeSpan time)
    {
        var end = Now + time;
        var effects = new List<SessionEffect>();
        while (_session.NextDeadline is { } next && next <= end)
        {
            Now = next > Now ? next : Now;
            effects.AddRange(Give(new SessionInput.Tick()));
        }

        Now = end;
        return Effects = effects;
    }

    public List<SessionEffect> Wait(double seconds) => Wait(TimeSpan.FromSeconds(seconds));

    // The messages of that type in the last effects.
    public List<T> Sent<T>()
        where T : BgpMessage =>
        Effects.OfType<SessionEffect.Send>().SelectMany(send => Codec.DecodeAll(send.Bytes.Span)).Select(decoded => decoded.Message).OfType<T>().ToList();

    public SessionError Error => Assert.Single(Effects.OfType<SessionEffect.Failed>()).Error;

    // The session ended with that NOTIFICATION, closed, and will try again.
    public NotificationMessage AssertFailsWith(NotificationCode code)
    {
        var notification = Assert.Single(Sent<NotificationMessage>());
        Assert.Equal(code, notification.Code);
        Assert.Equal((code.Code, code.Subcode, false), (Error.Code, Error.Subcode, Error.FromPeer));
        Assert.NotEmpty(Error.Text);
        var order = Effects.Select(effect => effect.GetType()).ToList();
        Assert.Equal(
            [typeof(SessionEffect.Send), typeof(SessionEffect.Close), typeof(SessionEffect.Failed), typeof(SessionEffect.StateChanged)],
            order.TakeLast(4));
        Assert.Equal(SessionState.Idle, State);
        Assert.NotNull(NextDeadline);
        return notification;
    }
}
