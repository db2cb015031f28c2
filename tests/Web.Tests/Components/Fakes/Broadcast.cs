using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Hands every item to everyone who is listening. Also says how many are, so that a test can see that a page let go.</summary>
internal sealed class Broadcast<T>
{
    private readonly Lock _gate = new();
    private readonly List<Channel<T>> _listeners = [];

    public int Listeners
    {
        get
        {
            lock (_gate)
            {
                return _listeners.Count;
            }
        }
    }

    public void Send(T item)
    {
        lock (_gate)
        {
            foreach (Channel<T> listener in _listeners)
            {
                listener.Writer.TryWrite(item);
            }
        }
    }

    /// <summary>Whoever is listening hears of a defect, and no more.</summary>
    public void Break(Exception defect)
    {
        lock (_gate)
        {
            _listeners.ForEach(listener => listener.Writer.TryComplete(defect));
        }
    }

    public async IAsyncEnumerable<T> ListenAsync(T[] first, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<T>();
        lock (_gate)
        {
            _listeners.Add(channel);
        }

        try
        {
            foreach (T item in first)
            {
                yield return item;
            }

            await foreach (T item in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return item;
            }
        }
        finally
        {
            lock (_gate)
            {
                _listeners.Remove(channel);
            }
        }
    }
}
