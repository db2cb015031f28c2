using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;

namespace FailoverHub.Bgp.Tests.Session;

// Two sessions on a wire, with a virtual clock: hours pass in milliseconds. The wire can delay, split and lose what is on it.
internal sealed class SessionPair
{
    private readonly PriorityQueue<(Action Act, long Order), (TimeSpan At, long Order)> _events = new();
    private long _order;
    private int _connection;

    public SessionPair(SessionOptions? agent = null, SessionOptions? router = null, int seed = 1)
    {
        Agent = new SessionEnd(this, agent ?? AgentOptions, new Random(seed));
        Router = new SessionEnd(this, router ?? RouterOptions, new Random(seed + 1));
        Agent.Other = Router;
        Router.Other = Agent;
    }

    public static SessionOptions AgentOptions { get; } = new() { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x0a000001) };

    public static SessionOptions RouterOptions { get; } = new() { LocalAs = 65000, PeerAs = 65001, RouterId = new RouterId(0xc0000201), Passive = true };

    public TimeSpan Now { get; private set; }

    public SessionEnd Agent { get; }

    public SessionEnd Router { get; }

    // One way.
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(1);

    // Largest piece in which bytes arrive; null: as they were written.
    public int? SplitAt { get; set; }

    // Nothing gets through, and nobody is told: a pulled cable.
    public bool WireCut { get; set; }

    // Octets that the kernels take between the two ends; null: any number. What is more than that waits, and the sender is told.
    public int? Buffer { get; init; }

    // What happens to a dial: null connects.
    public string? RefuseDials { get; set; }

    // The dial gets no answer at all.
    public bool IgnoreDials { get; set; }

    public IPAddress AgentAddress { get; set; } = IPAddress.Parse("fd00:10:34::1");

    public IPAddress RouterAddress { get; set; } = IPAddress.Parse("fd00:10:34::2");

    public static SessionPair Up(SessionOptions? agent = null, SessionOptions? router = null)
    {
        var pair = new SessionPair(agent, router);
        pair.Start();
        pair.Run(TimeSpan.FromMilliseconds(100));
        Assert.Equal(SessionState.Established, pair.Agent.State);
        Assert.Equal(SessionState.Established, pair.Router.State);
        return pair;
    }

    public void Start()
    {
        Router.Give(new SessionInput.Start());
        Agent.Give(new SessionInput.Start());
    }

    // Lets time pass: everything that is due within it happens, in order.
    public void Run(TimeSpan time)
    {
        var end = Now + time;
        var guard = 0;
        while (true)
        {
            Assert.True(++guard < 2_000_000, "the two sessions never come to rest");
            var next = Earliest(Agent.NextDeadline, Router.NextDeadline);
            if (_events.TryPeek(out _, out var at) && at.At <= end && (next is null || at.At <= next))
            {
                Now = at.At;
                _events.Dequeue().Act();
            }
            else if (next <= end)
            {
                Now = next.Value > Now ? next.Value : Now;
                var due = Agent.NextDeadline <= Now ? Agent : Router;
                due.Give(new SessionInput.Tick());
            }
            else
            {
                Now = end;
                return;
            }
        }
    }

    internal void Dial(SessionEnd from)
    {
        var attempt = ++_connection;
        from.Connection = 0;
        from.Dialling = attempt;
        if (WireCut || IgnoreDials)
        {
            return;
        }

        At(Delay * 2, () =>
        {
            if (from.Dialling != attempt)
            {
                return;
            }

            from.Dialling = 0;
            if (RefuseDials is { } reason)
            {
                from.Give(new SessionInput.ConnectFailed(reason));
                return;
            }

            from.Connection = from.Other.Connection = attempt;
            from.Output = from.Other.Output = null;
            from.Other.Give(new SessionInput.Connected(RouterAddress, AgentAddress));
            if (from.Connection == attempt)
            {
                from.Give(new SessionInput.Connected(AgentAddress, RouterAddress));
            }
        });
    }

    internal void Deliver(SessionEnd from, ReadOnlyMemory<byte> bytes)
    {
        if (Buffer is { } room)
        {
            from.Output ??= new SlowOutput(this, from, room);
            from.Output.Write(bytes);
        }
        else
        {
            Carry(from, bytes, static () => { });
        }
    }

    // taken: the bytes have been given to the other end.
    internal void Carry(SessionEnd from, ReadOnlyMemory<byte> bytes, Action taken)
    {
        var connection = from.Connection;
        if (WireCut)
        {
            return;
        }

        var piece = SplitAt ?? bytes.Length;
        for (var at = 0; at < bytes.Length; at += piece)
        {
            var part = bytes.Slice(at, Math.Min(piece, bytes.Length - at));
            var last = at + piece >= bytes.Length;
            At(Delay, () =>
            {
                if (from.Other.Connection == connection && connection != 0)
                {
                    from.Other.Give(new SessionInput.Received(part));
                    if (last)
                    {
                        taken();
                    }
                }
            });
        }
    }

    internal void Close(SessionEnd from)
    {
        var connection = from.Connection;
        from.Connection = 0;
        if (!WireCut)
        {
            At(Delay, () => from.Other.Lose(connection, "connection closed by the neighbor"));
        }
    }

    // The connection breaks and both ends notice.
    public void Break(string reason = "connection reset by the neighbor")
    {
        var connection = Agent.Connection;
        Agent.Lose(connection, reason);
        Router.Lose(connection, reason);
    }

    internal void Soon(Action act) => At(TimeSpan.Zero, act);

    private void At(TimeSpan delay, Action act) => _events.Enqueue((act, ++_order), (Now + delay, _order));

    private static TimeSpan? Earliest(TimeSpan? left, TimeSpan? right) => left is null ? right : right is null ? left : left < right ? left : right;
}

// One end: carries out what its session wants and writes down what it said.
internal sealed class SessionEnd(SessionPair pair, SessionOptions options, Random random)
{
    private readonly BgpSession _session = new(options, random);

    public SessionEnd Other { get; set; } = null!;

    public int Connection { get; set; }

    public int Dialling { get; set; }

    // On a wire that takes only so much.
    public SlowOutput? Output { get; set; }

    // Reads nothing of what comes; what it says is not affected.
    public bool IsDeaf
    {
        get;
        set
        {
            field = value;
            Other.Output?.Pump();
        }
    }

    public SessionState State => _session.State;

    public TimeSpan? NextDeadline => _session.NextDeadline;

    public SessionDiagnostics Diagnostics => _session.Diagnostics;

    public ImmutableArray<TraceEntry> Trace => _session.ReadTrace();

    // Everything it ever wanted, with the time.
    public List<(TimeSpan At, SessionEffect Effect)> Log { get; } = [];

    public IEnumerable<T> Seen<T>()
        where T : SessionEffect => Log.Select(entry => entry.Effect).OfType<T>();

    public SessionError LastError => Seen<SessionEffect.Failed>().Last().Error;

    public IEnumerable<TimeSpan> TimesOf(BgpMessageType type) =>
        Log.Where(entry => entry.Effect is SessionEffect.Send send && send.Type == type).Select(entry => entry.At);

    public IEnumerable<TimeSpan> Dials => Log.Where(entry => entry.Effect is SessionEffect.Dial).Select(entry => entry.At);

    public IEnumerable<ReadOnlyMemory<byte>> Sent(BgpMessageType type) => Seen<SessionEffect.Send>().Where(send => send.Type == type).Select(send => send.Bytes);

    public void Announce(params Advertisement[] all) => Give(new SessionInput.SetAdvertisements([.. all]));

    public void Lose(int connection, string reason)
    {
        if (connection != 0 && Connection == connection)
        {
            Connection = 0;
            Give(new SessionInput.Disconnected(reason));
        }
    }

    public void Give(SessionInput input)
    {
        var effects = _session.Handle(input, pair.Now).ToList();
        Log.AddRange(effects.Select(effect => (pair.Now, effect)));
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case SessionEffect.Dial:
                    pair.Dial(this);
                    break;
                case SessionEffect.AbandonDial:
                    Dialling = 0;
                    break;
                case SessionEffect.Send send:
                    Assert.NotEqual(0, Connection);
                    pair.Deliver(this, send.Bytes);
                    break;
                case SessionEffect.Close:
                    pair.Close(this);
                    break;
            }
        }
    }
}
