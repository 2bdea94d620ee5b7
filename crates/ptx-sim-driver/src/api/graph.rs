//! Graphs: work that was kept, to be done as often as one likes. An executable graph is the same list as the graph.

use std::sync::Arc;

use crate::answer::{Answer, Error};
use crate::driver::{Handle, driver};
use crate::pointers::Out;

fn instantiate(executable: Out<Handle>, graph: Handle) -> Answer {
    let mut state = driver().context()?;
    let nodes = state.graphs.get(&graph).cloned().ok_or(Error::InvalidValue)?;
    let handle = state.handle();
    state.graphs.insert(handle, nodes);
    executable.set(handle)
}

fn destroy(graph: Handle) -> Answer {
    driver().initialized()?.graphs.remove(&graph).map(|_| ()).ok_or(Error::InvalidValue)
}

exports! {
    /// Makes a graph executable.
    fn cuGraphInstantiateWithFlags(executable: Out<Handle>, graph: Handle, _flags: u64) {
        instantiate(executable, graph)
    }

    /// Makes a graph executable.
    fn cuGraphInstantiate_v2(executable: Out<Handle>, graph: Handle, _node: usize, _log: usize, _room: usize) {
        instantiate(executable, graph)
    }

    /// Nothing needs to be carried anywhere.
    fn cuGraphUpload(executable: Handle, _stream: Handle) {
        driver().context()?.graphs.get(&executable).map(|_| ()).ok_or(Error::InvalidValue)
    }

    /// Does the work of a graph, or keeps it where the stream is being captured.
    fn cuGraphLaunch(executable: Handle, stream: Handle) {
        let mut state = driver().context()?;
        let nodes = state.graphs.get(&executable).cloned().ok_or(Error::InvalidValue)?;
        if let Some(kept) = state.streams.capture(stream)? {
            kept.extend(nodes.iter().map(Arc::clone));
            return Ok(());
        }
        drop(state);
        // After a fault, nothing that follows in the graph is done.
        nodes.iter().try_for_each(|work| {
            work.run(driver())?;
            let poison = driver().state().poison;
            match poison {
                Some(error) if driver().settings.blocking => Err(error),
                _ => Ok(()),
            }
        })
    }

    /// How many nodes a graph has; the nodes themselves are not given out.
    fn cuGraphGetNodes(graph: Handle, nodes: Out<Handle>, count: Out<usize>) {
        let state = driver().context()?;
        if !nodes.is_null() {
            return Err(Error::NotSupported);
        }
        count.set(state.graphs.get(&graph).ok_or(Error::InvalidValue)?.len())
    }

    /// Forgets an executable graph.
    fn cuGraphExecDestroy(executable: Handle) {
        destroy(executable)
    }

    /// Forgets a graph.
    fn cuGraphDestroy(graph: Handle) {
        destroy(graph)
    }
}
