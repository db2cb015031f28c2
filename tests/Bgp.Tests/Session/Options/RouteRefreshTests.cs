using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Wire;

namespace FailoverHub.Bgp.Tests.Session.Options;

// RFC 2918 and RFC 7313, and that nobody can make us send without end.
public sealed class RouteRefreshTests
{
    private static readonly SessionOptions _on = SessionPair.AgentOptions with { EnhancedRouteRefresh = true };

    private static readonly OpenMessage _openWith = ScriptedNeighbor.Open with { Capabilities = [.. ScriptedNeighbor.Open.Capabilities, Capability.EnhancedRouteRefresh.Instance] };

    private static readonly AfiSafi _ipv4 = new(1, 1);

    private static readonly AfiSafi _ipv6 = new(2, 1);

    private static readonly RouteRefreshMessage _request = new(_ipv4);

    [Fact]
    public void BothOffer_TheAnswerIsFramedByBeginAndEnd()
    {
        var neighbor = Announcing();

        neighbor.Says(_request);

        Assert.Equal(
            [typeof(RouteRefreshMessage), typeof(UpdateMessage), typeof(RouteRefreshMessage)],
            Sent(neighbor).Select(message => message.GetType()));
        Assert.Equal([new(_ipv4, RouteRefreshSubtype.Begin), new(_ipv4, RouteRefreshSubtype.End)], neighbor.Sent<RouteRefreshMessage>());
        Assert.Equal([Announcements.Ipv4().Prefix], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.MpReach!.Prefixes);
        Assert.True(neighbor.Diagnostics.Negotiated!.EnhancedRouteRefresh);
        Assert.Equal((1, 2), (neighbor.Diagnostics.Received.RouteRefresh, neighbor.Diagnostics.Sent.RefreshMarks));
    }

    [Fact]
    public void BothOffer_NothingAnnounced_BeginAndEndComeAllTheSame()
    {
        // So that the neighbor drops what it should not have.
        var neighbor = new ScriptedNeighbor(_on).InEstablished(_openWith);

        neighbor.Says(_request with { Family = _ipv6 });

        Assert.Equal([RouteRefreshSubtype.Begin, RouteRefreshSubtype.End], neighbor.Sent<RouteRefreshMessage>().Select(message => message.Subtype));
        Assert.Empty(neighbor.Sent<UpdateMessage>());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void OneDoesNotOffer_TheAnswerIsTheRoutesAlone(bool weOffer, bool theyOffer)
    {
        var neighbor = new ScriptedNeighbor(weOffer ? _on : null).InEstablished(theyOffer ? _openWith : null);
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        neighbor.Says(_request);

        Assert.IsType<UpdateMessage>(Assert.Single(Sent(neighbor)));
        Assert.False(neighbor.Diagnostics.Negotiated!.EnhancedRouteRefresh);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(255)]
    public void MarksOfTheNeighborAndUnknownSubtypes_AreCountedAndHarmless(byte subtype)
    {
        var neighbor = Announcing();

        neighbor.Says(_request with { Subtype = (RouteRefreshSubtype)subtype });

        Assert.Empty(neighbor.Effects);
        Assert.Equal(SessionState.Established, neighbor.State);
        Assert.Equal((0, 1), (neighbor.Diagnostics.Received.RouteRefresh, neighbor.Diagnostics.Received.RefreshMarks));
    }

    [Theory]
    [InlineData("0001 01")]
    [InlineData("0001 01 01 00")]
    [InlineData("0001 02 01 00000000")]
    [InlineData("")]
    public void MarkOfTheWrongLength_EndsTheSessionWithTheWholeMessageAsData(string body)
    {
        var neighbor = Announcing();
        var bytes = Codec.Hex(body);
        byte[] message = [.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(19 + bytes.Length), 5, .. bytes];

        neighbor.Says(message);

        Assert.Equal(message, neighbor.AssertFailsWith(NotificationCode.InvalidRefreshLength).Data.ToArray());
    }

    [Theory]
    [InlineData("0001 03")]
    [InlineData("0001 ff 01 00000000000000")]
    public void UnknownSubtypeOfAnyLength_IsIgnored(string body)
    {
        var neighbor = Announcing();
        var bytes = Codec.Hex(body);

        Assert.Empty(neighbor.Says([.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(19 + bytes.Length), 5, .. bytes]));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void RequestOfTheWrongLength_EndsTheSession()
    {
        var neighbor = Announcing();

        neighbor.Says([.. Enumerable.Repeat((byte)0xff, 16), 0, 24, 5, 0, 1, 0, 1, 0]);

        neighbor.AssertFailsWith(NotificationCode.BadMessageLength);
    }

    [Fact]
    public void FamilyThatWasNotAgreedOn_IsIgnored()
    {
        var neighbor = Announcing();

        Assert.Empty(neighbor.Says(_request with { Family = new AfiSafi(25, 70) }));
        Assert.Equal(SessionState.Established, neighbor.State);
    }

    [Fact]
    public void FloodOfRequests_IsAnsweredAtOnceAndThenOnceASecond()
    {
        var neighbor = Announcing();
        var request = Codec.Encode(_request);
        var answers = new List<TimeSpan>();
        for (var i = 0; i < 50_000; i++)
        {
            Note(neighbor.Says(request));
            Note(neighbor.Wait(0.0001));
        }

        Note(neighbor.Wait(2));

        // 5 s of requests: one at once and one for each second.
        Assert.Equal(6, answers.Count);
        Assert.All(answers.Zip(answers.Skip(1), (first, second) => second - first), wait => Assert.InRange(wait.TotalSeconds, 1, 1.001));
        Assert.Equal(50_000, neighbor.Diagnostics.Received.RouteRefresh);

        void Note(List<SessionEffect> effects)
        {
            if (effects.OfType<SessionEffect.Send>().Any(send => send.Type == BgpMessageType.Update))
            {
                answers.Add(neighbor.Now);
            }
        }
    }

    [Fact]
    public void OneRequest_IsAnsweredOnce()
    {
        var neighbor = Announcing();
        neighbor.Says(_request);
        Assert.Single(neighbor.Sent<UpdateMessage>());

        neighbor.Wait(8);

        Assert.Empty(neighbor.Sent<UpdateMessage>());
    }

    [Fact]
    public void BothFamilies_DoNotWaitForEachOther()
    {
        var neighbor = Announcing();

        neighbor.Says([.. Codec.Encode(_request), .. Codec.Encode(_request with { Family = _ipv6 })]);

        Assert.Equal(2, neighbor.Sent<UpdateMessage>().Count);
    }

    [Fact]
    public void OutputWaits_TheAnswerWaitsUntilItIsTaken()
    {
        var neighbor = Announcing();
        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Says(_request);
        Assert.Empty(neighbor.Effects);
        neighbor.Wait(5);
        neighbor.Says(_request);
        Assert.DoesNotContain(neighbor.Effects, effect => effect is SessionEffect.Send);
        neighbor.Give(SessionInput.OutputProgress.Some);
        Assert.Empty(neighbor.Effects);

        neighbor.Give(SessionInput.OutputProgress.All);

        Assert.Single(neighbor.Sent<UpdateMessage>());
    }

    [Fact]
    public void ThirdOctet_WhereSubtypesWereNotAgreedOn_IsARequestInTraceAndCountersToo()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        neighbor.Says(new RouteRefreshMessage(new AfiSafi(1, 1), RouteRefreshSubtype.Begin));

        Assert.Single(neighbor.Sent<UpdateMessage>());
        Assert.Equal((1, 0), (neighbor.Diagnostics.Received.RouteRefresh, neighbor.Diagnostics.Received.RefreshMarks));
        Assert.StartsWith("ROUTE-REFRESH IPv4", neighbor.Trace.Single(entry => entry.Type == BgpMessageType.RouteRefresh).Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void RefreshThatIsOwed_IsForgottenWithItsConnection_AndWakesNobodyOnTheNext()
    {
        var neighbor = Announcing();
        neighbor.Says(_request);
        neighbor.Says(_request);
        neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor"));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));

        neighbor.Give(SessionInput.OutputBlocked.Instance);
        neighbor.Give(SessionInput.OutputProgress.All);

        Assert.Equal(SessionState.OpenSent, neighbor.State);
        Assert.Equal(neighbor.Now + TimeSpan.FromMinutes(4), neighbor.NextDeadline);
    }

    [Fact]
    public void RefreshThatIsOwed_EndsWithItsSession()
    {
        var neighbor = Announcing();
        neighbor.Says(_request);
        neighbor.Says(_request);
        neighbor.Give(new SessionInput.Disconnected("connection reset by the neighbor"));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));
        neighbor.Says(_openWith);
        neighbor.Says(KeepaliveMessage.Instance);
        Assert.Empty(neighbor.Sent<RouteRefreshMessage>());

        Assert.DoesNotContain(neighbor.Wait(2), effect => effect is SessionEffect.Send { Type: not BgpMessageType.Keepalive });
    }

    [Fact]
    public void RoutesThatChangedWhileTheAnswerWaited_AreInItAsTheyAreNow()
    {
        var neighbor = Announcing();
        neighbor.Says(_request);
        neighbor.Says(_request);
        neighbor.Announce(Announcements.Ipv4(Announcements.Secondary));

        neighbor.Wait(1);

        Assert.Equal([Announcements.Secondary], Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>().Where(send => send.Type == BgpMessageType.Update)
            .SelectMany(send => Codec.DecodeAll(send.Bytes.Span)).Select(decoded => ((UpdateMessage)decoded.Message).Attributes.Communities).Distinct()));
    }

    private static ScriptedNeighbor Announcing()
    {
        var neighbor = new ScriptedNeighbor(_on).InEstablished(_openWith);
        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());
        return neighbor;
    }

    private static ImmutableArray<BgpMessage> Sent(ScriptedNeighbor neighbor) =>
        [.. neighbor.Effects.OfType<SessionEffect.Send>().SelectMany(send => Codec.DecodeAll(send.Bytes.Span)).Select(decoded => decoded.Message)];
}
