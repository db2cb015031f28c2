namespace FailoverHub.Lab.Tests;

/// <summary>
/// For waiting on a signal: ends with the test, or after so long that something is broken. Nothing here asserts a time.
/// </summary>
internal static class Patience
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static CancellationToken Token
    {
        get
        {
            var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            source.CancelAfter(Limit);
            return source.Token;
        }
    }
}
