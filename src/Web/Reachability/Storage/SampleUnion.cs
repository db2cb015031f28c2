namespace FailoverHub.Web.Reachability.Storage;

/// <summary>Probes of one series from more than one place: there are no two of the same millisecond, so none counts twice however often it is stored.</summary>
internal static class SampleUnion
{
    /// <summary>All of them, oldest first, cut to whole milliseconds as they are stored.</summary>
    public static List<ProbeSample> Of(IEnumerable<ProbeSample> stored, IEnumerable<ProbeSample> others)
    {
        List<ProbeSample> all = [.. stored.Concat(others).Select(Whole).OrderBy(s => s.At)];
        int kept = 0;
        for (int i = 0; i < all.Count; i++)
        {
            if (kept == 0 || all[i].At != all[kept - 1].At)
            {
                all[kept++] = all[i];
            }
        }

        all.RemoveRange(kept, all.Count - kept);
        return all;
    }

    private static ProbeSample Whole(ProbeSample sample) =>
        sample.At.Ticks % TimeSpan.TicksPerMillisecond == 0 && sample.At.Offset == TimeSpan.Zero ? sample : sample with { At = DateTimeOffset.FromUnixTimeMilliseconds(sample.At.ToUnixTimeMilliseconds()) };
}
