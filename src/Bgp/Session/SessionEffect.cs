using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Session;

/// <summary>What the owner of a session has to do, in this order. A closed family: imperatives first, then news.</summary>
public abstract record SessionEffect
{
    private SessionEffect()
    {
    }

    /// <summary>Open a connection to the neighbor; answer with <see cref="SessionInput.Connected"/> or <see cref="SessionInput.ConnectFailed"/>.</summary>
    public sealed record Dial : SessionEffect;

    /// <summary>Give up a dial that is under way, without an answer.</summary>
    public sealed record AbandonDial : SessionEffect;

    /// <summary>Write these bytes, whole messages, before any later effect.</summary>
    /// <param name="Bytes">Not changed afterwards.</param>
    /// <param name="Type">Type of the messages in <paramref name="Bytes"/> (all of one type).</param>
    public sealed record Send(ReadOnlyMemory<byte> Bytes, BgpMessageType Type) : SessionEffect;

    /// <summary>Close the connection after everything before it is written; no <see cref="SessionInput.Disconnected"/> is wanted for it.</summary>
    public sealed record Close : SessionEffect;

    /// <summary>News: the state changed.</summary>
    /// <param name="From">Before.</param>
    /// <param name="To">Now.</param>
    /// <param name="Reason">In words, for the operator.</param>
    public sealed record StateChanged(SessionState From, SessionState To, string Reason) : SessionEffect
    {
        /// <summary>Its owner wanted it to stop: nothing was lost.</summary>
        public bool Asked { get; init; }
    }

    /// <summary>News: the session came up with these parameters.</summary>
    /// <param name="Parameters">What both sides agreed on.</param>
    public sealed record Established(NegotiatedParameters Parameters) : SessionEffect;

    /// <summary>News: something went wrong, on either side.</summary>
    /// <param name="Error">What, who said so, and its code.</param>
    public sealed record Failed(SessionError Error) : SessionEffect;

    /// <summary>News: the neighbor announced or withdrew routes. Routes lost with the session are not withdrawn one by one.</summary>
    /// <param name="Update">After the error handling of RFC 7606.</param>
    public sealed record RoutesReceived(ReceivedRoutes Update) : SessionEffect;

    /// <summary>
    /// News: every UPDATE that brings the neighbor to the last <see cref="SessionInput.SetAdvertisements"/>, as far as the session can carry
    /// it, is in the effects before this one.
    /// </summary>
    /// <param name="Announced">Number of prefixes that the neighbor has from us when it has read all of them.</param>
    /// <param name="Skipped">Prefixes of it that this session cannot carry, and why: the neighbor does not have them.</param>
    public sealed record AdvertisementsSent(int Announced, ImmutableArray<SkippedPrefix> Skipped) : SessionEffect;
}
