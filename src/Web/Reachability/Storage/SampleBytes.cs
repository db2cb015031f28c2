using System.Text;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// The probes of one address in one minute as bytes: about three for each. Numbers are those of <see cref="VarIntWriter"/>.
/// <code>
///   byte     1, the version
///   number   probes n, 1 to 6,000
///   number   errors e, 0 to 16: the different ones there are
///   e times  number length 1 to 200, so many bytes of UTF-8
///   n times  number   bit 0: no answer came; the bits above: folded, the step from the probe before to this one less the step before, in ms
///                     (the first step is from the beginning of the minute, the step before that 0)
///            number   answered: folded, the round trip less that of the answered probe before (0 before the first), in µs
///                     not answered: which error, from 1; 0: none is known
/// </code>
/// Probes are in order of time, at most one in a millisecond. A version that is not known, or anything else that is not so, is refused whole.
/// </summary>
internal static class SampleBytes
{
    /// <summary>More than ten a second for ten minutes' worth of trouble: what is sent beyond that in one minute is not kept.</summary>
    public const int MostSamples = 6_000;

    /// <summary>A minute, in milliseconds.</summary>
    public const long MinuteMs = 60_000;

    private const byte Version = 1;
    private const int MostErrors = 16;
    private const int LongestError = 200;

    /// <summary>Packs.</summary>
    /// <param name="minute">Minutes since 1970 UTC.</param>
    /// <param name="samples">1 to <see cref="MostSamples"/> of that minute, oldest first, at most one in a millisecond.</param>
    public static byte[] Write(long minute, IReadOnlyList<ProbeSample> samples)
    {
        var errors = new List<string>();
        int[] kinds = [.. samples.Select(s => KindOf(s, errors))];
        var bytes = new VarIntWriter();
        bytes.Byte(Version);
        bytes.Unsigned(samples.Count);
        bytes.Unsigned(errors.Count);
        foreach (string error in errors)
        {
            byte[] text = Encoding.UTF8.GetBytes(error);
            bytes.Unsigned(text.Length);
            bytes.Bytes(text);
        }

        (long at, long step, long roundTrip) = (minute * MinuteMs, 0, 0);
        for (int i = 0; i < samples.Count; i++)
        {
            long sent = samples[i].At.ToUnixTimeMilliseconds();
            bytes.Unsigned((VarIntWriter.Fold(sent - at - step) << 1) | (samples[i].Answered ? 0L : 1L));
            (at, step) = (sent, sent - at);
            if (samples[i].RoundTrip is { } answered)
            {
                long now = ProbeRollup.MicrosecondsOf(answered);
                bytes.Signed(now - roundTrip);
                roundTrip = now;
            }
            else
            {
                bytes.Unsigned(kinds[i]);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>Unpacks; null when these bytes are none that were packed for a minute.</summary>
    public static List<ProbeSample>? TryRead(long minute, ReadOnlySpan<byte> bytes)
    {
        var reader = new VarIntReader(bytes);
        if (reader.Byte() != Version)
        {
            return null;
        }

        int count = (int)reader.Unsigned(MostSamples);
        string[] errors = new string[reader.Unsigned(MostErrors)];
        for (int i = 0; i < errors.Length; i++)
        {
            errors[i] = Encoding.UTF8.GetString(reader.Bytes(reader.Unsigned(LongestError)));
        }

        // A probe needs two bytes: a count that cannot be true reserves nothing.
        if (count == 0 || reader.Failed || count * 2 > reader.Left)
        {
            return null;
        }

        var samples = new List<ProbeSample>(count);
        (long at, long step, long roundTrip) = (0, 0, 0);
        for (int i = 0; i < count; i++)
        {
            long head = reader.Unsigned(8 * MinuteMs);
            step += VarIntWriter.Unfold(head >> 1);
            at += step;
            string? error = null;
            if ((head & 1) == 0)
            {
                roundTrip += reader.Signed(ProbeRollup.LongestUs);
            }
            else if (reader.Unsigned(errors.Length) is > 0 and var kind)
            {
                error = errors[kind - 1];
            }

            if (reader.Failed || at is < 0 or >= MinuteMs || (i > 0 && step <= 0) || roundTrip is < 0 or > ProbeRollup.LongestUs)
            {
                return null;
            }

            samples.Add(new ProbeSample(DateTimeOffset.FromUnixTimeMilliseconds(minute * MinuteMs + at), (head & 1) == 0 ? TimeSpan.FromMicroseconds(roundTrip) : null, error));
        }

        return reader.AtEnd ? samples : null;
    }

    /// <summary>The errors are few; should they be many, those beyond the bound are kept without their words.</summary>
    private static int KindOf(ProbeSample sample, List<string> errors)
    {
        if (sample.Answered || string.IsNullOrEmpty(sample.Error))
        {
            return 0;
        }

        string error = Shorten(sample.Error);
        int known = errors.IndexOf(error);
        if (known < 0 && errors.Count < MostErrors)
        {
            errors.Add(error);
            known = errors.Count - 1;
        }

        return known + 1;
    }

    private static string Shorten(string error)
    {
        while (Encoding.UTF8.GetByteCount(error) > LongestError)
        {
            error = error[..^(char.IsLowSurrogate(error[^1]) && error.Length > 1 ? 2 : 1)];
        }

        return error;
    }
}
