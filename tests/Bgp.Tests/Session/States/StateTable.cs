using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session.States;

// Events of RFC 4271 8.1 (with their numbers) and RFC 9687 as a dialling speaker meets them, and where they lead: RFC 4271 8.2.2 as a table.
//
// Not here, because nothing of it exists in this speaker: 3 to 8 and 13 as events of their own (it starts by itself after every failure: IdleHoldTimer), 12 and 20
// (DelayOpen), 14, 15 and 17 (it does not listen), 23 (no second connection to collide with).
internal static class StateTable
{
    // What leads to a row's state. IdleWaits: Idle with the IdleHoldTimer running.
    public static readonly string[] States = ["Idle", "IdleWaits", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"];

    public static readonly string[] Events =
    [
        "1 ManualStart", "2 ManualStop", "9 ConnectRetryTimer_Expires", "10 HoldTimer_Expires", "11 KeepaliveTimer_Expires", "13 IdleHoldTimer_Expires", "16 Tcp_CR_Acked",
        "18 TcpConnectionFails", "19 BGPOpen", "21 BGPHeaderErr", "22 BGPOpenMsgErr", "24 NotifMsgVerErr", "25 NotifMsg", "26 KeepAliveMsg", "27 UpdateMsg", "28 UpdateMsgErr",
        "29 SendHoldTimer_Expires", "RouteRefreshMsg", "UnknownMsg",
    ];

    // State | event | next state | NOTIFICATION that we send | what else is done.   "off": the timer does not run there.   "none": there is no connection that it could come from.
    public const string Rows =
        """
        Idle        | 1 ManualStart                | Connect     |     | Dial
        Idle        | 2 ManualStop                 | Idle        |     |
        Idle        | 16 Tcp_CR_Acked              | Idle        |     | Close
        IdleWaits   | 1 ManualStart                | Connect     |     | Dial
        IdleWaits   | 2 ManualStop                 | Idle        |     | no timer
        IdleWaits   | 13 IdleHoldTimer_Expires     | Connect     |     | Dial
        IdleWaits   | 16 Tcp_CR_Acked              | IdleWaits   |     | Close
        Connect     | 1 ManualStart                | Connect     |     |
        Connect     | 2 ManualStop                 | Idle        |     | AbandonDial, no timer
        Connect     | 9 ConnectRetryTimer_Expires  | Connect     |     | AbandonDial, Dial
        Connect     | 16 Tcp_CR_Acked              | OpenSent    |     | Open
        Connect     | 18 TcpConnectionFails        | Active      |     |
        Active      | 1 ManualStart                | Active      |     |
        Active      | 2 ManualStop                 | Idle        |     | no timer
        Active      | 9 ConnectRetryTimer_Expires  | Connect     |     | Dial
        Active      | 16 Tcp_CR_Acked              | Active      |     | Close
        OpenSent    | 1 ManualStart                | OpenSent    |     |
        OpenSent    | 2 ManualStop                 | Idle        | 6/2 | Close, no timer
        OpenSent    | 10 HoldTimer_Expires         | IdleWaits   | 4/0 | Close
        OpenSent    | 16 Tcp_CR_Acked              | OpenSent    |     |
        OpenSent    | 18 TcpConnectionFails        | Active      |     |
        OpenSent    | 19 BGPOpen                   | OpenConfirm |     | Keepalive
        OpenSent    | 21 BGPHeaderErr              | IdleWaits   | 1/1 | Close
        OpenSent    | 22 BGPOpenMsgErr             | IdleWaits   | 2/1 | Close
        OpenSent    | 24 NotifMsgVerErr            | IdleWaits   |     | Close
        OpenSent    | 25 NotifMsg                  | IdleWaits   |     | Close
        OpenSent    | 26 KeepAliveMsg              | IdleWaits   | 5/1 | Close
        OpenSent    | 27 UpdateMsg                 | IdleWaits   | 5/1 | Close
        OpenSent    | 28 UpdateMsgErr              | IdleWaits   | 5/1 | Close
        OpenSent    | RouteRefreshMsg              | IdleWaits   | 5/1 | Close
        OpenSent    | UnknownMsg                   | IdleWaits   | 1/3 | Close
        OpenConfirm | 1 ManualStart                | OpenConfirm |     |
        OpenConfirm | 2 ManualStop                 | Idle        | 6/2 | Close, no timer
        OpenConfirm | 10 HoldTimer_Expires         | IdleWaits   | 4/0 | Close
        OpenConfirm | 11 KeepaliveTimer_Expires    | OpenConfirm |     | Keepalive
        OpenConfirm | 16 Tcp_CR_Acked              | OpenConfirm |     |
        OpenConfirm | 18 TcpConnectionFails        | IdleWaits   |     |
        OpenConfirm | 19 BGPOpen                   | IdleWaits   | 5/2 | Close
        OpenConfirm | 21 BGPHeaderErr              | IdleWaits   | 1/1 | Close
        OpenConfirm | 22 BGPOpenMsgErr             | IdleWaits   | 5/2 | Close
        OpenConfirm | 24 NotifMsgVerErr            | IdleWaits   |     | Close
        OpenConfirm | 25 NotifMsg                  | IdleWaits   |     | Close
        OpenConfirm | 26 KeepAliveMsg              | Established |     |
        OpenConfirm | 27 UpdateMsg                 | IdleWaits   | 5/2 | Close
        OpenConfirm | 28 UpdateMsgErr              | IdleWaits   | 5/2 | Close
        OpenConfirm | RouteRefreshMsg              | IdleWaits   | 5/2 | Close
        OpenConfirm | UnknownMsg                   | IdleWaits   | 1/3 | Close
        Established | 1 ManualStart                | Established |     |
        Established | 2 ManualStop                 | Idle        | 6/2 | Close, no timer
        Established | 10 HoldTimer_Expires         | IdleWaits   | 4/0 | Close
        Established | 11 KeepaliveTimer_Expires    | Established |     | Keepalive
        Established | 16 Tcp_CR_Acked              | Established |     |
        Established | 18 TcpConnectionFails        | IdleWaits   |     |
        Established | 19 BGPOpen                   | IdleWaits   | 5/3 | Close
        Established | 21 BGPHeaderErr              | IdleWaits   | 1/1 | Close
        Established | 22 BGPOpenMsgErr             | IdleWaits   | 5/3 | Close
        Established | 24 NotifMsgVerErr            | IdleWaits   |     | Close
        Established | 25 NotifMsg                  | IdleWaits   |     | Close
        Established | 26 KeepAliveMsg              | Established |     | hold timer again
        Established | 27 UpdateMsg                 | Established |     | hold timer again
        Established | 28 UpdateMsgErr              | IdleWaits   | 3/1 | Close
        Established | 29 SendHoldTimer_Expires     | IdleWaits   | 8/0 | Close
        Established | RouteRefreshMsg              | Established |     |
        Established | UnknownMsg                   | IdleWaits   | 1/3 | Close
        """;

    // Pairs that are not in Rows, and must lead nowhere: timers that do not run in that state, and what only a connection can bring.
    public static bool IsOff(string state, string occurred) => occurred switch
    {
        "9 ConnectRetryTimer_Expires" => state is not ("Connect" or "Active"),
        "10 HoldTimer_Expires" => state is not ("OpenSent" or "OpenConfirm" or "Established"),
        "11 KeepaliveTimer_Expires" => state is not ("OpenConfirm" or "Established"),
        "13 IdleHoldTimer_Expires" => state is not "IdleWaits",
        // RFC 9687 4.3: it is started on the way into Established.
        "29 SendHoldTimer_Expires" => state is not "Established",
        "18 TcpConnectionFails" => state is "Idle" or "IdleWaits" or "Active",
        "1 ManualStart" or "2 ManualStop" or "16 Tcp_CR_Acked" => false,
        _ => state is "Idle" or "IdleWaits" or "Connect" or "Active",
    };

    public static ScriptedNeighbor In(string state)
    {
        var neighbor = new ScriptedNeighbor();
        switch (state)
        {
            case "Idle":
                break;
            case "IdleWaits":
                neighbor.InOpenConfirm();
                neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
                break;
            case "Connect":
                neighbor.Give(new SessionInput.Start());
                break;
            case "Active":
                neighbor.Give(new SessionInput.Start());
                neighbor.Give(new SessionInput.ConnectFailed("connection refused"));
                break;
            case "OpenSent":
                neighbor.InOpenSent();
                break;
            case "OpenConfirm":
                neighbor.InOpenConfirm();
                break;
            default:
                neighbor.InEstablished();
                break;
        }

        Assert.Equal(state, NameOf(neighbor));
        return neighbor;
    }

    public static string NameOf(ScriptedNeighbor neighbor) =>
        neighbor.State == SessionState.Idle && neighbor.NextDeadline is not null ? "IdleWaits" : neighbor.State.ToString();

    // All effects of the event.
    public static List<SessionEffect> Occurs(ScriptedNeighbor neighbor, string occurred) => occurred switch
    {
        "1 ManualStart" => neighbor.Give(new SessionInput.Start()),
        "2 ManualStop" => neighbor.Give(new SessionInput.Stop("maintenance")),
        "9 ConnectRetryTimer_Expires" or "13 IdleHoldTimer_Expires" => neighbor.Wait(neighbor.NextDeadline!.Value - neighbor.Now),
        "10 HoldTimer_Expires" => [.. neighbor.Wait(neighbor.State == SessionState.OpenSent ? 240 : 9).Where(effect => effect is not SessionEffect.Send { Type: BgpMessageType.Keepalive })],
        "11 KeepaliveTimer_Expires" => neighbor.Wait(neighbor.NextDeadline!.Value - neighbor.Now),
        "16 Tcp_CR_Acked" => neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote)),
        "18 TcpConnectionFails" when neighbor.State == SessionState.Connect => neighbor.Give(new SessionInput.ConnectFailed("connection refused")),
        "18 TcpConnectionFails" => neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor")),
        "19 BGPOpen" => neighbor.Says(ScriptedNeighbor.Open),
        "21 BGPHeaderErr" => neighbor.Says([.. Codec.Hex("00ffffffffffffffffffffffffffffff 0013 04")]),
        "22 BGPOpenMsgErr" => neighbor.Says(ScriptedNeighbor.Open with { Version = 3 }),
        "24 NotifMsgVerErr" => neighbor.Says(new NotificationMessage(NotificationCode.UnsupportedVersion, new byte[] { 0, 4 })),
        "25 NotifMsg" => neighbor.Says(new NotificationMessage(NotificationCode.AdministrativeShutdown, default)),
        "26 KeepAliveMsg" => neighbor.Says(KeepaliveMessage.Instance),
        "27 UpdateMsg" => neighbor.Says(new UpdateMessage()),
        "28 UpdateMsgErr" => neighbor.Says([.. Codec.Hex("ffffffffffffffffffffffffffffffff 0017 02 0009 0000")]),
        "29 SendHoldTimer_Expires" => SendHold(neighbor),
        "RouteRefreshMsg" => neighbor.Says(new RouteRefreshMessage(new AfiSafi(1, 1))),
        "UnknownMsg" => neighbor.Says([.. Codec.Hex("ffffffffffffffffffffffffffffffff 0013 09")]),
        _ => throw new ArgumentOutOfRangeException(nameof(occurred), occurred, "No such event."),
    };

    private static List<SessionEffect> SendHold(ScriptedNeighbor neighbor)
    {
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        var effects = new List<SessionEffect>();
        for (var i = 0; i < 4; i++)
        {
            neighbor.Says(KeepaliveMessage.Instance);
            effects.AddRange(neighbor.Wait(4.5));
        }

        return [.. effects.Where(effect => effect is not SessionEffect.Send { Type: BgpMessageType.Keepalive })];
    }
}
