using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session.States;

// Every (state, event) of RFC 4271 8.2.2.
public sealed class StateTableTests
{
    public static TheoryData<string, string, string, string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, string, string, string>();
            foreach (var line in StateTable.Rows.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var cells = line.Split('|', StringSplitOptions.TrimEntries);
                rows.Add(cells[0], cells[1], cells[2], cells[3], cells[4]);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void EventInState_DoesWhatTheTableSays(string state, string occurred, string next, string notification, string also)
    {
        var neighbor = StateTable.In(state);
        if (also == "hold timer again")
        {
            neighbor.Wait(8);
        }

        var effects = StateTable.Occurs(neighbor, occurred);

        Assert.Equal(next, StateTable.NameOf(neighbor));
        AssertDone(effects, notification, also);
        Assert.True(next == "Idle" ? neighbor.NextDeadline is null : neighbor.NextDeadline > neighbor.Now, "a state that waits for nothing");
        if (also == "hold timer again")
        {
            neighbor.Wait(8);
            Assert.Equal(SessionState.Established, neighbor.State);
        }
    }

    [Fact]
    public void PairsThatAreNotInTheTable_LeadNowhere()
    {
        var listed = StateTable.Rows.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Select(cells => (cells[0], cells[1])).ToHashSet();
        foreach (var (state, occurred) in from state in StateTable.States from occurred in StateTable.Events select (state, occurred))
        {
            Assert.True(listed.Contains((state, occurred)) != StateTable.IsOff(state, occurred), $"{occurred} in {state} is said to be possible and impossible, or neither");
            if (!StateTable.IsOff(state, occurred))
            {
                continue;
            }

            var neighbor = StateTable.In(state);
            var deadline = neighbor.NextDeadline;
            var effects = occurred.Contains("Timer", StringComparison.Ordinal) ? neighbor.Give(new SessionInput.Tick()) : StateTable.Occurs(neighbor, occurred);

            Assert.Empty(effects);
            Assert.Equal((state, deadline), (StateTable.NameOf(neighbor), neighbor.NextDeadline));
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void EveryFailure_IsReportedOnceAndCounted(string state, string occurred, string next, string notification, string also)
    {
        _ = also;
        var neighbor = StateTable.In(state);
        var before = neighbor.Diagnostics;
        var effects = StateTable.Occurs(neighbor, occurred);
        // A failure is what brings an attempt to an end that nobody asked for.
        var failed = (next is "IdleWaits" or "Active" && next != state) || (state, occurred) == ("Connect", "9 ConnectRetryTimer_Expires");

        Assert.Equal(failed ? 1 : 0, effects.OfType<SessionEffect.Failed>().Count());
        Assert.Equal(before.FailuresInARow + (failed ? 1 : 0), neighbor.Diagnostics.FailuresInARow);
        Assert.Equal(state == "Established" && failed ? 1 : 0, neighbor.Diagnostics.Flaps);
        Assert.Equal(notification.Length > 0, neighbor.Diagnostics.LastNotificationSent is not null);
        if (failed)
        {
            var error = Assert.Single(effects.OfType<SessionEffect.Failed>()).Error;
            Assert.Equal(error, neighbor.Diagnostics.LastFailure!.Error);
            Assert.Equal(notification.Length > 0 ? notification : $"{error.Code}/{error.Subcode}", $"{error.Code}/{error.Subcode}");
            Assert.NotEmpty(error.Text);
        }
    }

    private static void AssertDone(List<SessionEffect> effects, string notification, string also)
    {
        var sent = effects.OfType<SessionEffect.Send>().SelectMany(send => Codec.DecodeAll(send.Bytes.Span)).Select(decoded => decoded.Message).ToList();
        Assert.Equal(notification, string.Join(' ', sent.OfType<NotificationMessage>().Select(message => $"{message.Code.Code}/{message.Code.Subcode}")));
        var done = also.Split(", ").ToHashSet();
        Assert.Equal(done.Contains("Dial"), effects.Any(effect => effect is SessionEffect.Dial));
        Assert.Equal(done.Contains("AbandonDial"), effects.Any(effect => effect is SessionEffect.AbandonDial));
        Assert.Equal(done.Contains("Close"), effects.Any(effect => effect is SessionEffect.Close));
        Assert.Equal(done.Contains("Open"), sent.Any(message => message is OpenMessage));
        Assert.Equal(done.Contains("Keepalive"), sent.Any(message => message is KeepaliveMessage));
    }
}
